import { parseName, ROOT_OID, type Oid } from "@izo/core";
import { expect, it, vi } from "vitest";

import { LoopbackServer } from "../testing/loopback-server.ts";
import { SyncHost } from "../testing/sync-host.ts";
import { Pusher } from "./pusher.ts";
import { RemovalHold } from "./removal-hold.ts";
import { ScopeHold } from "./scope-hold.ts";

const ACTOR = { uid: 1, gid: 1, groups: [], command: "test" };

/** Of the size of a batch, and so many that a look at all that waits is worth two of them. */
const WAITING = 34 * 256;

it("Pusher looks at all that waits once for several batches, where much waits", async () => {
  await using server = await LoopbackServer.start();
  await using host = await SyncHost.open(server.url);
  host.sync.setForcedOffline(true);
  const { replica } = host;
  for (let number = 0; number < WAITING; number += 1) {
    const name = parseName(`d${number}`);
    const oid = number.toString(16).padStart(32, "a") as Oid;
    const made = { opcode: "MKDIR", oid, parent: ROOT_OID, name, path: `/${name}` } as const;
    replica.record({ ...made, mode: 0o755, uid: 1, gid: 1, mtimeNs: 0n, conflict: null }, ACTOR);
  }
  const sent: number[] = [];
  const pusher = new Pusher({
    replica,
    remote: {
      upload: () => Promise.reject(new Error("there is no content")),
      push({ records }) {
        const recnos = records.map(({ origin }) => origin.recno);
        sent.push(...recnos);
        const applied = { verdict: "applied", reason: null } as const;
        const results = recnos.map((recno) => ({ originRecno: recno, trace: recno, ...applied }));
        return Promise.resolve({ head: replica.position, results });
      },
    },
    cache: host.cache,
    show: () => {},
    host: "test",
    removals: new RemovalHold(replica, Date.now),
    scope: new ScopeHold(replica, { changesBelow: "/", learn: () => {} }),
    onUploaded: () => {},
    onUploadFailed: () => {},
  });
  const looks = vi.spyOn(replica.pending, "sendable");
  const { signal } = new AbortController();
  // oxlint-disable-next-line no-await-in-loop -- one push at a time
  while (await pusher.push(signal, () => {}));
  expect(sent).toHaveLength(WAITING);
  expect(sent).toEqual(sent.toSorted((a, b) => a - b));
  // One more finds that nothing is left.
  expect(looks).toHaveBeenCalledTimes(34 / 2 + 1);
});

import { parseName, ROOT_OID, type Oid } from "@izo/core";
import { expect, it } from "vitest";

import { LoopbackServer } from "../../testing/loopback-server.ts";
import { SyncHost } from "../../testing/sync-host.ts";
import { RemovalHold } from "../hold/removal-hold.ts";
import { ScopeHold } from "../hold/scope-hold.ts";
import type { LocalReplica } from "../replica/local-replica.ts";
import { Pusher } from "./pusher.ts";

const ACTOR = { uid: 1, gid: 1, groups: [], command: "test" };

const BATCH = 256;
const WAITING = 34 * BATCH;

function record(replica: LocalReplica, number: number): void {
  const name = parseName(`d${number}`);
  const oid = number.toString(16).padStart(32, "a") as Oid;
  const made = { opcode: "MKDIR", oid, parent: ROOT_OID, name, path: `/${name}` } as const;
  replica.record({ ...made, mode: 0o755, uid: 1, gid: 1, mtimeNs: 0n, conflict: null }, ACTOR);
}

/** Has much waiting sent, and tells how often all of it was looked at for that. */
async function send(meanwhile: (replica: LocalReplica, pushes: number) => void) {
  await using server = await LoopbackServer.start();
  await using host = await SyncHost.open(server.url);
  host.sync.setForcedOffline(true);
  const { replica } = host;
  for (let number = 0; number < WAITING; number += 1) record(replica, number);
  const sent: number[] = [];
  let pushes = 0;
  const pusher = new Pusher({
    replica,
    remote: {
      upload: () => Promise.reject(new Error("there is no content")),
      push({ records }) {
        meanwhile(replica, (pushes += 1));
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
  const { looks } = replica.pending;
  const { signal } = new AbortController();
  // oxlint-disable-next-line no-await-in-loop -- one push at a time
  while (await pusher.push(signal, () => {}));
  expect(sent).toEqual(sent.toSorted((a, b) => a - b));
  expect(replica.pending.unsent).toEqual([]);
  return { sent: sent.length, looks: replica.pending.looks - looks };
}

it("Pusher looks at all that waits once, where nothing is added to it", async () => {
  expect(await send(() => {})).toEqual({ sent: WAITING, looks: 1 });
});

it("Pusher looks at all that waits a few times, while programs add to it with each push", async () => {
  const added = 34;
  const { sent, looks } = await send((replica, pushes) => {
    if (pushes <= added) record(replica, WAITING + pushes);
  });
  expect(sent).toBe(WAITING + added);
  // Each time that an eighth of it was sent.
  expect(looks).toBeGreaterThan(4);
  expect(looks).toBeLessThan(20);
});

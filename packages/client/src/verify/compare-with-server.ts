import { setTimeout as sleep } from "node:timers/promises";

import { isSamePosition, objectPath, pathOf, type Recno, type Version } from "@izo/core";

import { receiveTree } from "../sync/pull/receive-tree.ts";
import type { Remote } from "../sync/remote.ts";
import type { LocalReplica } from "../sync/replica/local-replica.ts";
import type { CacheDifference } from "./cache-difference.ts";

/** Both move on; after so many attempts at meeting at one record it is said that they did not. */
const ATTEMPTS = 5;
const ATTEMPT_AGAIN_MS = 300;

/**
 * Compares the authoritative tree of a mount with the server's at the same record, row by row.
 *
 * @returns null where the two were never met at one record
 * @throws what the remote throws
 */
export async function compareWithServer(
  replica: LocalReplica,
  remote: Remote,
  signal: AbortSignal,
): Promise<CacheDifference[] | null> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    // oxlint-disable-next-line no-await-in-loop -- the time is what is given to the next poll
    if (attempt > 0) await sleep(ATTEMPT_AGAIN_MS, undefined, { signal });
    using database = replica.receiveTree("verify");
    // oxlint-disable-next-line no-await-in-loop
    const start = await receiveTree(remote.snapshot(replica.peer, signal), database, signal);
    if (!isSamePosition(start.position, replica.position)) continue;
    const { objects, names } = replica.differencesFrom(database);
    const { authoritative } = replica;
    return [
      ...Array.from(objects, (oid) => {
        const object = database.state.object(oid) ?? authoritative.object(oid);
        return differing(objectPath(authoritative, oid), "object", object?.contentVersion);
      }),
      ...Array.from(names, ({ parent, name }) => {
        const entry = database.state.entry(parent, name) ?? authoritative.entry(parent, name);
        return differing(pathOf(authoritative, parent, name), "name", entry?.version);
      }),
    ];
  }
  return null;
}

function differing(path: string, what: string, version: Version | undefined): CacheDifference {
  const found = `another ${what} than the server has at the same record`;
  const since = typeof version === "number" ? (version satisfies Recno) : null;
  return { path, between: "index and server", cause: "behind", found, since };
}

/**
 * The grants of a fileset's permits, in a file of their own: `permits` in its state. The index is no
 * place for them, because it is rebuilt from the log and may lose its last commits in a power cut; the
 * log is none, because nobody else has to know (docs/decisions/0008-permits-are-no-records.md).
 */

import { existsSync, readFileSync, renameSync } from "node:fs";

import { type Epoch, type GrantRecord, isId, NO_EPOCH, type PeerId, ROOT_OID } from "@izo/core";
import { replaceFile } from "@izo/sys";
import { z } from "zod";

/** What a restart has to know: no time is among it. */
export interface PermitRecords {
  readonly lastEpoch: Epoch;
  readonly grants: readonly GrantRecord[];
}

/** Whom a file that cannot be read may have named: until his lease is over nobody gets anything. */
const UNKNOWN_PEER = "0".repeat(32) as PeerId;

const id = z.custom<string>((value) => typeof value === "string" && isId(value));
const epoch = z.int().min(0);
const schema = z.strictObject({
  lastEpoch: epoch,
  grants: z.array(
    z.strictObject({
      oid: id,
      epoch,
      peer: id,
      host: z.string(),
      firstEpoch: epoch,
      termMs: z.number().positive(),
    }),
  ),
});

/**
 * Reads the grants; none where there is no file. One that is damaged is put aside, and everything counts
 * as granted to somebody unknown: his lease ends like any other.
 *
 * @returns where a damaged file was put, too
 */
export function readPermitFile(
  path: string,
  { termMs, nowMs }: { readonly termMs: number; readonly nowMs: number },
): { readonly records: PermitRecords; readonly putAside: string | null } {
  if (!existsSync(path)) return { records: { lastEpoch: NO_EPOCH, grants: [] }, putAside: null };
  const records = parse(readFileSync(path, "utf8"));
  if (records !== undefined) return { records, putAside: null };
  const putAside = `${path}.damaged-${nowMs}`;
  renameSync(path, putAside);
  const lastEpoch = 1 as Epoch;
  const everything: GrantRecord = {
    oid: ROOT_OID,
    epoch: lastEpoch,
    peer: UNKNOWN_PEER,
    host: "unknown",
    firstEpoch: lastEpoch,
    termMs,
  };
  return { records: { lastEpoch, grants: [everything] }, putAside };
}

/** Makes the grants durable. @throws what the disk says; the old ones stand then */
export function writePermitFile(path: string, { lastEpoch, grants }: PermitRecords): void {
  const kept = grants.map(({ oid, epoch: number, peer, host, firstEpoch, termMs }) => {
    return { oid, epoch: number, peer, host, firstEpoch, termMs };
  });
  replaceFile(path, `${JSON.stringify({ lastEpoch, grants: kept })}\n`);
}

function parse(text: string): PermitRecords | undefined {
  try {
    return schema.parse(JSON.parse(text)) as unknown as PermitRecords;
  } catch {
    return undefined;
  }
}

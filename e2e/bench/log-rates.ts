import { hash } from "node:crypto";
import { join } from "node:path";

import {
  type FilesetId,
  MemoryState,
  NO_CHECK,
  type Name,
  type Oid,
  openKmlLog,
  openKmlReader,
  type PeerId,
  type Recno,
  replay,
  ROOT_OID,
  type ServerRecord,
} from "@izo/core";
import { nodeDisk } from "@izo/sys";

/** Records per second. */
export interface LogRates {
  readonly append: number;
  readonly decode: number;
  readonly replay: number;
}

const RECORDS = 100_000;
const BATCH = 256;

const nodeHash = (bytes: Uint8Array): Uint8Array => hash("sha256", bytes, "buffer");

/** Rates of a log of creations in a new directory; appended in batches, each made durable. */
export async function measureLog(directory: string): Promise<LogRates> {
  const dir = join(directory, "kml");
  const ids = { fileset: "f".repeat(32) as FilesetId, peer: "a".repeat(32) as PeerId };
  const appendSeconds = await writeCreations({ dir, ...ids }, RECORDS);
  const decoded: ServerRecord[] = [];
  const decodeSeconds = await seconds(async () => {
    const reader = openKmlReader(nodeDisk, dir, nodeHash);
    for (const scanned of reader.read(0 as Recno)) decoded.push(scanned.decode() as ServerRecord);
  });
  const replaySeconds = await seconds(async () => {
    const state = new MemoryState();
    let head = 0 as Recno;
    for (const record of decoded) head = replay(record, state, head);
  });
  return {
    append: RECORDS / appendSeconds,
    decode: RECORDS / decodeSeconds,
    replay: RECORDS / replaySeconds,
  };
}

/** Appends creations behind what a log has, each batch made durable; gives the seconds that this took. */
export async function writeCreations(
  at: { readonly dir: string; readonly fileset: FilesetId; readonly peer: PeerId },
  count: number,
): Promise<number> {
  await using log = await openKmlLog({ disk: nodeDisk, ...at, hash: nodeHash });
  const { recno } = log.head;
  const records = Array.from({ length: count }, (_, index) => creation(recno + index + 1));
  // The log is closed only when all of this is over.
  return await seconds(async () => {
    for (let start = 0; start < count; start += BATCH) {
      log.append(records.slice(start, start + BATCH));
      // oxlint-disable-next-line no-await-in-loop -- as a server does it: the next batch waits
      await log.sync();
    }
  });
}

function creation(number: number): ServerRecord {
  const peer = "a".repeat(32) as PeerId;
  const recno = number as Recno;
  const name = `file-${number}` as Name;
  return {
    recno,
    authorTimeNs: BigInt(number),
    logTimeNs: BigInt(number),
    origin: { peer, recno, check: NO_CHECK },
    actor: { uid: 0, gid: 0, groups: [], command: "bench" },
    operation: {
      opcode: "CREATE",
      oid: (number + 1000).toString(16).padStart(32, "0") as Oid,
      parent: ROOT_OID,
      name,
      path: `/${name}`,
      conflict: null,
      mode: 0o644,
      uid: 0,
      gid: 0,
      mtimeNs: 0n,
    },
  };
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await work();
  return (performance.now() - startMs) / 1000;
}

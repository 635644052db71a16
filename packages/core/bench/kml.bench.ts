// Rates of the log on this machine:
//   node --conditions=izo:source packages/core/bench/kml.bench.ts [DIR]
// DIR is where the log is written; give one on the disk that is to be measured.
import { hash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { nodeDisk } from "../../sys/src/disk/node-disk.ts";
import {
  decodeRecord,
  encodeRecord,
  type FilesetId,
  type HashFunction,
  type KmlRecord,
  NO_RECNO,
  type Oid,
  openKmlLog,
  parseName,
  type PeerId,
  type Recno,
  type Sha256,
  verifyLog,
} from "../src/index.ts";

const RECORDS = 100_000;
const sha256: HashFunction = (bytes) => hash("sha256", bytes, "buffer");
const idOf = (n: number): string => hash("sha256", String(n)).slice(0, 32);
const peer = idOf(-1) as PeerId;

/** What a client's work looks like: a file is created, then closed; 32 to a directory. */
function makeRecord(recno: number): KmlRecord {
  const file = recno >> 1;
  const path = `/projects/izo/packages/dir-${file >> 5}/file-${file}.ts`;
  const object = { oid: idOf(file) as Oid, path, mtimeNs: 1_795_374_926_123_456_789n };
  return {
    recno: recno as Recno,
    authorTimeNs: 1_795_374_926_123_456_789n + BigInt(recno),
    logTimeNs: 1_795_374_926_123_456_789n + BigInt(recno),
    origin: { peer, recno: recno as Recno, check: idOf(recno).slice(0, 16) },
    actor: { uid: 1000, gid: 1000, groups: [4, 24, 1000], command: "vim" },
    operation:
      recno % 2 === 0
        ? {
            opcode: "CREATE",
            ...object,
            parent: idOf(-(file >> 5)) as Oid,
            name: parseName(`file-${file}.ts`),
            conflict: null,
            mode: 0o644,
            uid: 1000,
            gid: 1000,
          }
        : {
            opcode: "CLOSE",
            ...object,
            contentBase: NO_RECNO,
            sizeBytes: 4096,
            sha256: (idOf(recno) + idOf(-recno)) as Sha256,
            conflict: null,
          },
  };
}

function report(what: string, count: number, startMs: number, unit = "records"): void {
  const perSecond = (count / (performance.now() - startMs)) * 1000;
  console.log(
    `${what.padEnd(34)} ${Math.round(perSecond).toLocaleString("en").padStart(12)} ${unit}/s`,
  );
}

const records = Array.from({ length: RECORDS }, (_, index) => makeRecord(index + 1));
// The first round warms the compiler up; the last one is what counts.
for (let round = 1; round <= 3; round += 1) {
  let start = performance.now();
  const encoded = records.map(encodeRecord);
  report(`encode, round ${round}`, RECORDS, start);
  start = performance.now();
  for (const bytes of encoded) decodeRecord(bytes);
  report(`decode, round ${round}`, RECORDS, start);
}

const dir = mkdtempSync(join(process.argv[2] ?? tmpdir(), "kml-bench-"));
try {
  const fileset = idOf(-2) as FilesetId;
  const options = { disk: nodeDisk, dir, fileset, peer, hash: sha256 };
  const log = await openKmlLog(options);
  let start = performance.now();
  for (const record of records) log.append([record]);
  report("append, one by one", RECORDS, start);
  await log.sync();
  start = performance.now();
  for (let recno = RECORDS + 1; recno <= RECORDS + 500; recno += 1) {
    log.append([makeRecord(recno)]);
    await log.sync();
  }
  report("append and sync, one by one", 500, start);
  await log.close();
  start = performance.now();
  const reopened = await openKmlLog(options);
  report("open", 1, start, "times");
  start = performance.now();
  let bytes = 0;
  for (const record of reopened.read(NO_RECNO)) bytes += record.decode() && record.bytes.length;
  report("read and decode from disk", RECORDS, start);
  console.log(`${"bytes per record".padEnd(34)} ${Math.round(bytes / (RECORDS + 500))}`);
  await reopened.close();
  start = performance.now();
  for (const segment of verifyLog(nodeDisk, dir, sha256)) void segment;
  report("verify with the hash chain", RECORDS, start);
} finally {
  rmSync(dir, { recursive: true });
}

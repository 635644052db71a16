import {
  formatPosition,
  type KmlRecord,
  parseSegmentHeader,
  type Position,
  RunningHash,
  scanRecords,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from "@izo/core";
import { nodeDisk } from "@izo/sys";

import { nodeHash } from "./directory-source.ts";

/** A line of a dump. */
export type DumpLine =
  | {
      readonly kind: "segment";
      readonly segment: string;
      readonly header: SegmentHeader;
      readonly sizeBytes: number;
    }
  | {
      readonly kind: "record";
      readonly segment: string;
      readonly offset: number;
      readonly sizeBytes: number;
      /** The running hash up to and with this record. */
      readonly position: string;
      readonly record: KmlRecord;
    };

/**
 * Reads one segment file from its first byte to its last, checking everything on the way.
 *
 * @param name how errors call it
 * @throws KmlDamageError naming segment and offset, KmlVersionError
 */
export function* dumpSegment(path: string, name: string): Generator<DumpLine, Position> {
  const file = nodeDisk.open(path, "read");
  try {
    const sizeBytes = file.sizeBytes();
    const header = parseSegmentHeader(file.read(0, SEGMENT_HEADER_BYTES), name);
    yield { kind: "segment", segment: name, header, sizeBytes };
    const running = new RunningHash(header.hashBefore, nodeHash);
    const range = { source: file, segment: name, start: SEGMENT_HEADER_BYTES, end: sizeBytes };
    let recno = header.first - 1;
    for (const scanned of scanRecords(range, header.first)) {
      running.extend(scanned.bytes);
      recno = scanned.recno;
      yield {
        kind: "record",
        segment: name,
        offset: scanned.offset,
        sizeBytes: scanned.bytes.length,
        position: formatPosition({ recno: scanned.recno, hash: running.digits() }),
        record: scanned.decode(),
      };
    }
    return { recno: recno as Position["recno"], hash: running.digits() };
  } finally {
    file.close();
  }
}

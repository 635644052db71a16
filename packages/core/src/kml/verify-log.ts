import type { Disk } from "./disk.ts";
import type { Recno, Sha256 } from "./identity.ts";
import { KmlDamageError } from "./kml-damage-error.ts";
import type { SegmentInfo } from "./kml-reader.ts";
import { openKmlReader } from "./open-kml-log.ts";
import type { Position } from "./position.ts";
import { type HashFunction, portableHash, RunningHash } from "./running-hash.ts";
import { scanRecords } from "./scan-records.ts";
import {
  parseDurableMark,
  parseSegmentHeader,
  SEGMENT_HEADER_BYTES,
  segmentName,
} from "./segment-header.ts";

/** A segment of which every byte was checked, and the position behind it. */
export interface VerifiedSegment extends SegmentInfo {
  readonly end: Position;
}

/**
 * Reads all of a log and checks everything: each record, that it has a meaning, and the chain of
 * running hashes from the oldest segment's header to the head. Yields each segment when it is
 * checked. Changes nothing; the torn tail of a log in use is not part of it.
 *
 * @throws KmlDamageError at the first fault, naming segment and offset; KmlVersionError, NoLogError.
 */
export function* verifyLog(
  disk: Disk,
  dir: string,
  hash: HashFunction = portableHash,
): Generator<VerifiedSegment, void> {
  let expected: Sha256 | null = null;
  for (const info of openKmlReader(disk, dir, hash).segments()) {
    const end = verifySegment(disk, dir, info, expected, hash);
    yield { ...info, end };
    expected = end.hash;
  }
}

function verifySegment(
  disk: Disk,
  dir: string,
  info: SegmentInfo,
  hashBefore: Sha256 | null,
  hash: HashFunction,
): Position {
  const segment = segmentName(info.first);
  const file = disk.open(`${dir}/${segment}`, "read");
  try {
    const head = file.read(0, SEGMENT_HEADER_BYTES);
    const header = parseSegmentHeader(head, segment);
    if (hashBefore !== null && header.hashBefore !== hashBefore) {
      throw new KmlDamageError(
        { segment, offset: 0 },
        "its running hash is not that of the segment before",
      );
    }
    if (parseDurableMark(head) === null) {
      throw new KmlDamageError(
        { segment, offset: 0 },
        "the durable mark's checksum does not match",
      );
    }
    const running = new RunningHash(header.hashBefore, hash);
    const range = { source: file, segment, start: SEGMENT_HEADER_BYTES, end: info.sizeBytes };
    let last = (info.first - 1) as Recno;
    for (const record of scanRecords(range, info.first)) {
      record.decode();
      running.extend(record.bytes);
      last = record.recno;
    }
    return { recno: last, hash: running.digits() };
  } finally {
    file.close();
  }
}

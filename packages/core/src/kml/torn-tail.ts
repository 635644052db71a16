import { findRecordFault, recordRecno } from "./decode-record.ts";
import type { Recno } from "./identity.ts";
import { KmlDamageError } from "./kml-damage-error.ts";
import { KML_VERSION, MIN_RECORD_BYTES, VERSION_OFFSET } from "./record-layout.ts";

/** What was cut off the end of a log when it was opened. */
export interface TornTail {
  readonly segment: string;
  readonly offset: number;
  readonly cutBytes: number;
  /** Why the first record that was cut is none. */
  readonly reason: string;
}

/** The first bad record of the last segment. */
export interface BadRecord {
  /** All bytes of the segment. */
  readonly bytes: Uint8Array;
  readonly segment: string;
  readonly offset: number;
  /** The recno that belongs there. */
  readonly recno: Recno;
  readonly reason: string;
  /** The last recno that is known to have been durable; 0 when that is not known. */
  readonly durable: Recno;
}

/** Smallest unit in which a device writes or loses; a lost one of a new file reads as zeros. */
const SECTOR_BYTES = 512;

/** Zeros at a sector's end that are no part of a record: longer than an id, a time and a check. */
const ZEROS_OF_LOSS = 32;

/**
 * Decides what a bad record in the last segment is: the torn end of what was never synced, to be cut,
 * or damage to what was. Called when a log is opened. Wrong in one direction it drops acknowledged
 * records, wrong in the other the log cannot be opened after a power cut; so:
 *
 * 1. A record that the durable mark covers was whole once: damage.
 * 2. Nothing intact with a later recno follows: a torn tail. A write that was cut short, garbage and
 *    a tail of zeros (the size reached the disk, the data did not) are all of this kind.
 * 3. Something intact follows a hole of lost sectors: a torn tail too. The kernel writes pages back
 *    in any order, so after a power cut a later page may be there and an earlier one not.
 * 4. Something intact follows and no sector is lost: bytes were changed where they stood. Damage.
 *
 * @throws KmlDamageError
 */
export function judgeBadRecord(bad: BadRecord): TornTail {
  const { bytes, segment, offset, recno, reason, durable } = bad;
  if (recno <= durable) {
    throw new KmlDamageError({ segment, offset }, `${reason}, and record ${durable} was durable`);
  }
  const later = findLaterRecord(bytes, offset, recno);
  if (later !== null && !hasLostSector(bytes, offset, later.offset)) {
    throw new KmlDamageError(
      { segment, offset },
      `${reason}, and record ${later.recno} at offset ${later.offset} is intact`,
    );
  }
  return { segment, offset, cutBytes: bytes.length - offset, reason };
}

/** Looks at every offset for an intact record that can come after the one that is bad. */
function findLaterRecord(
  bytes: Uint8Array,
  from: number,
  recno: Recno,
): { offset: number; recno: Recno } | null {
  const highest = recno + Math.ceil((bytes.length - from) / MIN_RECORD_BYTES);
  for (let offset = from + 1; offset + MIN_RECORD_BYTES <= bytes.length; offset += 1) {
    if (bytes[offset + VERSION_OFFSET] !== KML_VERSION) continue;
    const found = recordRecno(bytes, offset);
    if (found <= recno || found > highest) continue;
    if (findRecordFault(bytes, offset) === null) return { offset, recno: found };
  }
  return null;
}

/**
 * Tells whether a sector in `[from, to)` did not reach the disk in its last state: it then ends in
 * the zeros that were there before. All of it may be zeros, or what follows the last good record,
 * or what follows a part of the bad one.
 */
function hasLostSector(bytes: Uint8Array, from: number, to: number): boolean {
  for (let end = from + SECTOR_BYTES - (from % SECTOR_BYTES); end <= to; end += SECTOR_BYTES) {
    let start = end;
    while (start > from && end - start < ZEROS_OF_LOSS && bytes[start - 1] === 0) start -= 1;
    if (start === from || end - start === ZEROS_OF_LOSS) return true;
  }
  return false;
}

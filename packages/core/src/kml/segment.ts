import type { Disk, DiskFile } from "./disk.ts";
import type { Recno, Sha256 } from "./identity.ts";
import { type HashFunction, RunningHash } from "./running-hash.ts";
import { type ScannedRecord, scanRecords } from "./scan-records.ts";
import { SEGMENT_HEADER_BYTES, type SegmentHeader, segmentName } from "./segment-header.ts";

/** A place inside a segment: behind `recno`, where the next record starts. */
export interface Checkpoint {
  readonly recno: Recno;
  readonly offset: number;
  readonly hash: Sha256;
}

/** Records between two checkpoints: what a look-up scans at most, some 60 KiB. */
const CHECKPOINT_RECORDS = 256;

/**
 * One segment of an open log. What is known of where its records stand and what they hash to is a
 * list of checkpoints, which grows as far as somebody has asked and costs 1/256 of an index.
 */
export class Segment {
  readonly header: SegmentHeader;
  readonly path: string;
  readonly name: string;
  /** `header.first - 1` while there is none. */
  last: Recno;
  sizeBytes: number;
  isSealed: boolean;
  readonly #checkpoints: Checkpoint[];

  constructor(
    dir: string,
    header: SegmentHeader,
    state: { last: Recno; sizeBytes: number; isSealed: boolean },
  ) {
    this.header = header;
    this.name = segmentName(header.first);
    this.path = `${dir}/${this.name}`;
    this.last = state.last;
    this.sizeBytes = state.sizeBytes;
    this.isSealed = state.isSealed;
    this.#checkpoints = [
      {
        recno: (header.first - 1) as Recno,
        offset: SEGMENT_HEADER_BYTES,
        hash: header.hashBefore,
      },
    ];
  }

  /** Notes a place that somebody has come by; kept when it is far enough from the last one. */
  noteCheckpoint(recno: Recno, offset: number, hash: () => Sha256): void {
    if (recno - this.#checkpoints.at(-1)!.recno < CHECKPOINT_RECORDS) return;
    this.#checkpoints.push({ recno, offset, hash: hash() });
  }

  /**
   * The place behind a record of this segment, with the running hash there. The first look-up in a
   * segment scans it as far as asked; later ones at most {@link CHECKPOINT_RECORDS} records.
   */
  locate(disk: Disk, recno: Recno, hash: HashFunction): Checkpoint {
    const known = this.#checkpoints.findLast((checkpoint) => checkpoint.recno <= recno)!;
    if (known.recno === recno) return known;
    const file = disk.open(this.path, "read");
    try {
      const running = new RunningHash(known.hash, hash);
      for (const record of this.#scan(file, known)) {
        running.extend(record.bytes);
        const offset = record.offset + record.bytes.length;
        this.noteCheckpoint(record.recno, offset, () => running.digits());
        if (record.recno === recno) return { recno, offset, hash: running.digits() };
      }
    } finally {
      file.close();
    }
    throw new RangeError(`${this.name} ends before record ${recno}`);
  }

  /** Records behind a recno of this segment, up to `upTo`. */
  *read(disk: Disk, after: Recno, upTo: Recno, hash: HashFunction): Generator<ScannedRecord, void> {
    if (after >= upTo) return;
    const place = this.locate(disk, after, hash);
    const file = disk.open(this.path, "read");
    try {
      for (const record of this.#scan(file, place)) {
        yield record;
        if (record.recno >= upTo) return;
      }
    } finally {
      file.close();
    }
  }

  #scan(file: DiskFile, place: Checkpoint): Generator<ScannedRecord, void> {
    const range = { source: file, segment: this.name, start: place.offset, end: this.sizeBytes };
    return scanRecords(range, (place.recno + 1) as Recno);
  }
}

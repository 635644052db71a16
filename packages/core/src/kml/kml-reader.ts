import { IzoError } from "../errors.ts";
import type { Disk } from "./disk.ts";
import { NO_RECNO, type Recno } from "./identity.ts";
import type { Position } from "./position.ts";
import type { HashFunction } from "./running-hash.ts";
import type { ScannedRecord } from "./scan-records.ts";
import { clearDurableMark, type SegmentHeader } from "./segment-header.ts";
import type { Segment } from "./segment.ts";

/** A place that a log does not hold: cut off already, or not written yet. */
export class RecnoNotInLogError extends IzoError {
  constructor(recno: Recno, oldest: Recno, head: Recno) {
    super("recno-not-in-log", `Cannot find record ${recno}: the log holds ${oldest} to ${head}`, {
      recno,
      oldest,
      head,
    });
  }
}

/** A segment as others may know of it. */
export interface SegmentInfo {
  readonly first: Recno;
  /** `first - 1` while the segment holds no record. */
  readonly last: Recno;
  readonly sizeBytes: number;
  /** Sealed segments never change again. */
  readonly isSealed: boolean;
}

export interface ReadOptions {
  /** Stop before the record that would go beyond this sum; the first record always comes. */
  readonly limitBytes?: number;
  readonly limitRecords?: number;
  /** Last recno to be read; the head by default. Pass the durable one where others will see it. */
  readonly upTo?: Recno;
}

/** Reads a log: by recno, by position, by segment. Holds no file open between calls. */
export class KmlReader {
  protected readonly disk: Disk;
  protected readonly hash: HashFunction;
  /** In the order of the log; never empty. */
  protected readonly list: Segment[];

  constructor(disk: Disk, hash: HashFunction, list: Segment[]) {
    this.disk = disk;
    this.hash = hash;
    this.list = list;
  }

  /** What log this is, and where it starts. */
  get header(): SegmentHeader {
    return this.list[0]!.header;
  }

  /** The first record that is still here; one beyond the head while there is none. */
  get oldest(): Recno {
    return this.list[0]!.header.first;
  }

  /** The last record that is here; 0 before the first. */
  get lastRecno(): Recno {
    return this.list.at(-1)!.last;
  }

  segments(): SegmentInfo[] {
    return this.list.map(({ header, last, sizeBytes, isSealed }) => ({
      first: header.first,
      last,
      sizeBytes,
      isSealed,
    }));
  }

  /**
   * Records behind `after`, oldest first. Records appended meanwhile are not part of it.
   *
   * @throws RecnoNotInLogError when the record behind `after` was cut off; KmlDamageError.
   */
  *read(after: Recno, options: ReadOptions = {}): Generator<ScannedRecord, void> {
    const upTo = Math.min(options.upTo ?? this.lastRecno, this.lastRecno) as Recno;
    let recordsLeft = options.limitRecords ?? Infinity;
    let bytesLeft = options.limitBytes ?? Infinity;
    if (after >= upTo) return;
    let isFirst = true;
    for (const segment of this.list.slice(this.#indexOf(after))) {
      const from = Math.max(after, segment.header.first - 1) as Recno;
      for (const record of segment.read(this.disk, from, upTo, this.hash)) {
        bytesLeft -= record.bytes.length;
        recordsLeft -= 1;
        if (recordsLeft < 0 || (bytesLeft < 0 && !isFirst)) return;
        isFirst = false;
        yield record;
      }
    }
  }

  /**
   * The position behind a record: its running hash is taken up from the nearest known place.
   *
   * @throws RecnoNotInLogError when it is before the oldest or beyond the head; KmlDamageError.
   */
  positionAt(recno: Recno): Position {
    if (recno > this.lastRecno) throw this.#notHere(recno);
    const { hash } = this.list[this.#indexOf(recno)]!.locate(this.disk, recno, this.hash);
    return { recno, hash };
  }

  /**
   * Bytes `[start, end)` of a sealed segment, for a cache or a mirror: the same for ever.
   *
   * @throws RecnoNotInLogError when no sealed segment starts with that record.
   */
  readSegment(first: Recno, start = 0, end = Infinity): Uint8Array {
    const segment = this.list.find(({ header }) => header.first === first);
    if (segment === undefined || !segment.isSealed) throw this.#notHere(first);
    const file = this.disk.open(segment.path, "read");
    try {
      const bytes = file.read(start, Math.max(0, Math.min(end, segment.sizeBytes) - start));
      clearDurableMark(bytes, start);
      return bytes;
    } finally {
      file.close();
    }
  }

  /** Index of the segment in which the place behind `recno` can be found. */
  #indexOf(recno: Recno): number {
    const index = this.list.findLastIndex(({ header }) => header.first - 1 <= recno);
    if (index < 0 || recno < NO_RECNO) throw this.#notHere(recno);
    return index;
  }

  #notHere(recno: Recno): RecnoNotInLogError {
    return new RecnoNotInLogError(recno, this.oldest, this.lastRecno);
  }
}

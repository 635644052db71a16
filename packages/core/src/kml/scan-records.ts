import { decodeIntactRecord, findRecordFault, recordLength, recordRecno } from "./decode-record.ts";
import type { Recno } from "./identity.ts";
import { KmlDamageError } from "./kml-damage-error.ts";
import { MAX_RECORD_BYTES, MIN_RECORD_BYTES, SUFFIX_BYTES } from "./record-layout.ts";
import type { KmlRecord } from "./record.ts";

/** Where a segment's bytes come from: a file, or bytes in memory. */
export interface ByteSource {
  /** Up to `length` bytes from `offset`, less where they end. */
  read(offset: number, length: number): Uint8Array;
}

/** The bytes of a whole segment as a source. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  return { read: (offset, length) => bytes.subarray(offset, offset + length) };
}

/** A part of a segment, to be scanned. */
export interface ScanRange {
  readonly source: ByteSource;
  /** The segment's file name, for errors. */
  readonly segment: string;
  /** Offset of the first record to be read, and the end of the last. */
  readonly start: number;
  readonly end: number;
}

/** An intact record where it was found; decoded when somebody asks. */
export class ScannedRecord {
  readonly segment: string;
  readonly offset: number;
  readonly recno: Recno;
  /** All bytes of the record, prefix to suffix, as hashed and as sent. */
  readonly bytes: Uint8Array;

  constructor(segment: string, offset: number, bytes: Uint8Array) {
    this.segment = segment;
    this.offset = offset;
    this.bytes = bytes;
    this.recno = recordRecno(bytes, 0);
  }

  /** Decodes the record, each time anew. @throws KmlDamageError, KmlVersionError */
  decode(): KmlRecord {
    return decodeIntactRecord(this.bytes, 0, this);
  }
}

/** Read at once: few system calls, and little is thrown away when only one record is wanted. */
const WINDOW_BYTES = 64 * 1024;

/**
 * Reads records forwards. `first` is the recno that must stand at the start; each further one is the
 * next. Holds one window of the segment in memory, never the whole.
 *
 * @throws KmlDamageError naming segment and offset at the first record that is not intact or not the
 *   next. What stands behind it is not looked at.
 */
export function* scanRecords(range: ScanRange, first: Recno): Generator<ScannedRecord, void> {
  const { segment, end } = range;
  const window = new Window(range);
  let expected: number = first;
  let at = range.start;
  while (at < end) {
    window.cover(at, at + MIN_RECORD_BYTES);
    if (window.end - at >= MIN_RECORD_BYTES) {
      const claimed = recordLength(window.bytes, at - window.start);
      // What claims to be longer than a record can be is a fault, to be found without reading it.
      window.cover(at, at + Math.min(claimed, MAX_RECORD_BYTES));
    }
    const record = takeRecord(window, segment, at, expected);
    yield record;
    at += record.bytes.length;
    expected += 1;
  }
}

/**
 * Reads records backwards, by their suffixes. `last` is the recno that must stand at the end.
 *
 * @throws KmlDamageError as {@link scanRecords} does.
 */
export function* scanRecordsBackwards(
  range: ScanRange,
  last: Recno,
): Generator<ScannedRecord, void> {
  const { segment, start } = range;
  const window = new Window(range);
  let expected: number = last;
  let end = range.end;
  while (end > start) {
    window.coverBackwards(end - SUFFIX_BYTES, end);
    const length = recordLength(window.bytes, end - 4 - window.start);
    if (length < MIN_RECORD_BYTES || length > Math.min(MAX_RECORD_BYTES, end - start)) {
      throw new KmlDamageError(
        { segment, offset: Math.max(start, end - SUFFIX_BYTES) },
        `${length} is no length of a record that ends at ${end}`,
      );
    }
    window.coverBackwards(end - length, end);
    const record = takeRecord(window, segment, end - length, expected);
    if (record.bytes.length !== length) {
      throw new KmlDamageError(
        { segment, offset: end - length },
        "the record's two lengths differ",
      );
    }
    yield record;
    end -= length;
    expected -= 1;
  }
}

function takeRecord(window: Window, segment: string, at: number, expected: number): ScannedRecord {
  const local = at - window.start;
  const fault = findRecordFault(window.bytes, local);
  if (fault !== null) throw new KmlDamageError({ segment, offset: at }, fault);
  const length = recordLength(window.bytes, local);
  const record = new ScannedRecord(segment, at, window.bytes.subarray(local, local + length));
  if (record.recno !== expected) {
    throw new KmlDamageError(
      { segment, offset: at },
      `record ${record.recno} stands where ${expected} belongs`,
    );
  }
  return record;
}

/** The part of a range that is in memory. A new part is a new array: records keep what they got. */
class Window {
  bytes = new Uint8Array(0);
  start = 0;
  readonly #range: ScanRange;

  constructor(range: ScanRange) {
    this.#range = range;
  }

  get end(): number {
    return this.start + this.bytes.length;
  }

  /** Makes `[from, to)` part of the window, as far as the range goes, and what follows. */
  cover(from: number, to: number): void {
    if (from >= this.start && to <= this.end) return;
    const end = Math.min(Math.max(to, from + WINDOW_BYTES), this.#range.end);
    if (from >= this.start && end <= this.end) return;
    this.#read(from, end);
  }

  /** Makes `[from, to)` part of the window, as far as the range goes, and what precedes. */
  coverBackwards(from: number, to: number): void {
    if (from >= this.start && to <= this.end) return;
    this.#read(Math.max(Math.min(from, to - WINDOW_BYTES), this.#range.start), to);
  }

  #read(start: number, end: number): void {
    this.start = start;
    this.bytes = this.#range.source.read(start, end - start) as Uint8Array<ArrayBuffer>;
  }
}

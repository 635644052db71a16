import { ByteWriter } from "./byte-writer.ts";
import type { Disk, DiskFile } from "./disk.ts";
import { encodeRecordInto } from "./encode-record.ts";
import { GroupCommit } from "./group-commit.ts";
import type { Recno } from "./identity.ts";
import { InvalidRecordError } from "./invalid-record-error.ts";
import { KmlAppendError, KmlBrokenError } from "./kml-log-errors.ts";
import { KmlReader } from "./kml-reader.ts";
import { createSegment, emptySegment } from "./new-segment.ts";
import type { Position } from "./position.ts";
import type { KmlRecord } from "./record.ts";
import { type HashFunction, RunningHash } from "./running-hash.ts";
import {
  encodeDurableMark,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  segmentName,
} from "./segment-header.ts";
import { Segment } from "./segment.ts";
import type { TornTail } from "./torn-tail.ts";

/** Taken beyond what was asked for, so that few records have to ask: some hundred of them. */
const RESERVE_AHEAD_BYTES = 128 * 1024;

/** What {@link openKmlLog} has found out. */
export interface KmlLogState {
  readonly disk: Disk;
  readonly hash: HashFunction;
  readonly dir: string;
  readonly segments: Segment[];
  /** The last segment's file, open for writing and durable as it is. */
  readonly file: DiskFile;
  readonly head: Position;
  readonly segmentBytes: number;
  readonly tornTail: TornTail | null;
}

/**
 * A log that is appended to, by one process at a time. `openKmlLog` makes one.
 *
 * `append` ends in the page cache: the record survives `kill -9` at once and a power cut after the
 * next `sync`. Nothing may be acknowledged, served or answered beyond {@link durable}. The worst
 * that a crash can do is to lose records behind it, from the end; never one in the middle.
 */
export class KmlLog extends KmlReader implements AsyncDisposable {
  /** What was cut off when the log was opened, or null. */
  readonly tornTail: TornTail | null;
  readonly #dir: string;
  readonly #segmentBytes: number;
  readonly #writer = new ByteWriter();
  #file: DiskFile;
  /** Files of sealed segments that a sync in progress may still hold. */
  #retired: DiskFile[] = [];
  /** Up to here the active segment has its space already. */
  #reservedEnd = 0;
  #running: RunningHash;
  #head: Position;
  #durable: Position;
  /** A segment was made of which header or directory entry is not durable yet. */
  #isDirectoryDirty = false;
  #broken: KmlBrokenError | null = null;
  readonly #syncs = new GroupCommit(() => this.#syncActive());

  constructor(state: KmlLogState) {
    super(state.disk, state.hash, state.segments);
    this.tornTail = state.tornTail;
    this.#dir = state.dir;
    this.#segmentBytes = state.segmentBytes;
    this.#file = state.file;
    this.#running = new RunningHash(state.head.hash, state.hash);
    this.#head = state.head;
    this.#durable = state.head;
  }

  /** The position behind the last record appended. */
  get head(): Position {
    return this.#head;
  }

  /** The position up to which the log survives a power cut. */
  get durable(): Position {
    return this.#durable;
  }

  /** As of any reader; of the head, behind which all wait who have everything, without a look at the disk. */
  override positionAt(recno: Recno): Position {
    return recno === this.#head.recno ? this.#head : super.positionAt(recno);
  }

  /**
   * Appends records, all or none, and returns the position behind each. Their recnos must go on
   * from the head.
   *
   * @param roomBytes space that has to be there behind them, as of {@link reserve}; by default none has to
   * @throws InvalidRecordError, InvalidNameError, InvalidPathError when a record cannot be written;
   *   KmlAppendError when the disk refuses (the log stays usable); KmlBrokenError.
   */
  append(records: readonly KmlRecord[], roomBytes?: number): Position[] {
    this.#assertUsable();
    const ends = this.#encode(records);
    if (roomBytes !== undefined) this.reserve(this.#writer.length + roomBytes);
    if (this.#active.sizeBytes >= 2 * this.#segmentBytes) this.#rotateBlocking();
    const segment = this.#active;
    const start = segment.sizeBytes;
    const bytes = this.#writer.bytes;
    try {
      this.#file.write(start, bytes);
    } catch (error) {
      this.#takeBack(start);
      throw new KmlAppendError((this.#head.recno + 1) as Recno, segment.name, error);
    }
    return ends.map((end, index) => {
      this.#running.extend(bytes.subarray(ends[index - 1] ?? 0, end));
      const recno = (this.#head.recno + 1) as Recno;
      this.#head = { recno, hash: this.#running.digits() };
      segment.last = recno;
      segment.sizeBytes = start + end;
      segment.noteCheckpoint(recno, start + end, () => this.#head.hash);
      return this.#head;
    });
  }

  /**
   * Takes space for records that will be appended: whatever else fills the disk until then, they find
   * room. Called before something is done that must be logged, so that a full disk refuses it and does
   * not tear it.
   *
   * @throws KmlAppendError when there is no room: nothing has happened; KmlBrokenError
   */
  reserve(bytes: number): void {
    this.#assertUsable();
    if (this.#active.sizeBytes >= 2 * this.#segmentBytes) this.#rotateBlocking();
    const { sizeBytes, name } = this.#active;
    if (sizeBytes + bytes <= this.#reservedEnd) return;
    try {
      this.#reserveUpTo(sizeBytes + bytes + RESERVE_AHEAD_BYTES);
    } catch {
      try {
        this.#reserveUpTo(sizeBytes + bytes);
      } catch (error) {
        throw new KmlAppendError((this.#head.recno + 1) as Recno, name, error);
      }
    }
  }

  /** {@link reserve} for these records. @throws InvalidRecordError, and what {@link reserve} throws */
  reserveFor(records: readonly KmlRecord[], extraBytes: number): void {
    this.#assertUsable();
    this.#encode(records);
    this.reserve(this.#writer.length + extraBytes);
  }

  /**
   * Makes durable what was appended before the call, and returns how far the log is durable then.
   * Group commit: callers that come while a sync runs share the next one.
   *
   * @throws KmlBrokenError when the device could not write, now or before.
   */
  async sync(): Promise<Position> {
    this.#assertUsable();
    const isClean = this.#durable.recno === this.#head.recno && !this.#isDirectoryDirty;
    return isClean && !this.#syncs.isRunning ? this.#durable : this.#syncs.commit();
  }

  /**
   * Goes on in a new segment, so that all records so far can be dropped. A segment without records
   * stays as it is, and so does one for whose successor the disk has no room.
   *
   * @throws KmlBrokenError
   */
  async sealSegment(): Promise<void> {
    await this.sync();
    const { last, header } = this.#active;
    if (last < header.first || this.#durable.recno < this.#head.recno) return;
    this.#rotate();
    await this.sync();
  }

  /**
   * Removes the segments that hold nothing but records before `recno`; the last one stays. Returns
   * the oldest record that is left. A crash leaves some of them; never a gap.
   */
  async dropSegmentsBefore(recno: Recno): Promise<Recno> {
    this.#assertUsable();
    const isSpare = ({ isSealed, last }: Segment): boolean => isSealed && last < recno;
    if (isSpare(this.list[0]!)) {
      // The segment that comes first then has to survive a power cut before the others go: without its
      // header nothing says any more where the log goes on.
      while (this.#isDirectoryDirty) {
        // oxlint-disable-next-line no-await-in-loop -- a sync may end with a new segment
        await this.sync();
      }
      for (let first = this.list[0]!; isSpare(first); first = this.list[0]!) {
        this.disk.remove(first.path);
        this.list.shift();
      }
      await this.disk.syncDirectory(this.#dir);
    }
    return this.oldest;
  }

  /** Syncs and closes the log. */
  async close(): Promise<void> {
    try {
      if (this.#broken !== null) return;
      await this.sync();
      // The mark of this sync would become durable with the next one, and there is none.
      await this.#file.sync();
    } finally {
      this.#broken ??= new KmlBrokenError(this.#active.name, "it was closed");
      this.#closeRetired();
      this.#file.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #active(): Segment {
    return this.list.at(-1)!;
  }

  #assertUsable(): void {
    if (this.#broken !== null) throw this.#broken;
  }

  /** Leaves the records' bytes in the writer and returns where each ends. */
  #encode(records: readonly KmlRecord[]): number[] {
    const writer = this.#writer;
    writer.reset();
    return records.map((record, index) => {
      const expected = this.#head.recno + 1 + index;
      if (record.recno !== expected) {
        throw new InvalidRecordError(`its recno is ${record.recno} where ${expected} follows`);
      }
      encodeRecordInto(writer, record);
      return writer.length;
    });
  }

  /** After a failed write: cuts off what it left, so that the next record follows the last good one. */
  #takeBack(sizeBytes: number): void {
    try {
      this.#file.truncate(sizeBytes);
      this.#reservedEnd = 0;
    } catch (error) {
      this.#break(error);
    }
  }

  #reserveUpTo(end: number): void {
    const { sizeBytes } = this.#active;
    this.#file.reserve(sizeBytes, end - sizeBytes);
    this.#reservedEnd = end;
  }

  async #syncActive(): Promise<Position> {
    this.#assertUsable();
    try {
      return await this.#syncToHead();
    } finally {
      this.#closeRetired();
    }
  }

  async #syncToHead(): Promise<Position> {
    const target = this.#head;
    const file = this.#file;
    try {
      await file.sync();
      if (this.#isDirectoryDirty) {
        // A segment that was made meanwhile has its entry now, but not its header.
        this.#isDirectoryDirty = file !== this.#file;
        await this.disk.syncDirectory(this.#dir);
      }
    } catch (error) {
      // After a failed fdatasync the kernel may call the lost pages clean: another one would succeed
      // and mean nothing ("fsyncgate", 2018). What is on the disk is known again only when the log
      // is opened, which writes its tail anew.
      throw this.#break(error);
    }
    if (target.recno > this.#durable.recno) this.#durable = target;
    this.#markDurable(file);
    const isFull = this.#active.sizeBytes >= this.#segmentBytes;
    // Only a log that is durable to its end may go on in a new segment: a sealed segment is never
    // torn, so what is bad in one is damage.
    if (isFull && this.#durable.recno === this.#head.recno) this.#rotate();
    return target;
  }

  /** For a log that outgrew its segment faster than anybody synced it. */
  #rotateBlocking(): void {
    try {
      this.#file.syncBlocking();
    } catch (error) {
      throw this.#break(error);
    }
    // Its name may not be durable yet, and no sync of a directory blocks: then the next sync says it.
    if (!this.#isDirectoryDirty) this.#durable = this.#head;
    this.#markDurable(this.#file);
    this.#rotate();
  }

  /** Seals the active segment, all of which is durable, and goes on in a new one. */
  #rotate(): void {
    const { fileset, peer } = this.header;
    const { recno, hash } = this.#head;
    const header = { fileset, peer, first: (recno + 1) as Recno, hashBefore: hash };
    const segment = new Segment(this.#dir, header, emptySegment(recno));
    const reservedBytes = Math.max(0, this.#reservedEnd - this.#active.sizeBytes);
    const file = this.#tryCreate(segment.path, header, reservedBytes);
    if (file === null) return;
    this.#giveBackReserve();
    this.#reservedEnd = SEGMENT_HEADER_BYTES + reservedBytes;
    this.#active.isSealed = true;
    this.list.push(segment);
    this.#retired.push(this.#file);
    this.#file = file;
    this.#isDirectoryDirty = true;
    if (!this.#syncs.isRunning) this.#closeRetired();
  }

  /**
   * Makes the file of a new segment, or null where there is no room for it and for what was reserved: the
   * full segment grows on. A file without its header must not stay: once a later segment follows it would be damage.
   */
  #tryCreate(path: string, header: SegmentHeader, reservedBytes: number): DiskFile | null {
    let file: DiskFile | undefined;
    try {
      file = createSegment(this.disk, path, header);
      if (reservedBytes > 0) file.reserve(SEGMENT_HEADER_BYTES, reservedBytes);
      return file;
    } catch {
      file?.close();
      try {
        if (this.disk.list(this.#dir).includes(segmentName(header.first))) this.disk.remove(path);
      } catch (error) {
        throw this.#break(error);
      }
      return null;
    }
  }

  /** Best effort: a sealed segment that keeps some space too much is none the worse. */
  #giveBackReserve(): void {
    if (this.#reservedEnd <= this.#active.sizeBytes) return;
    try {
      this.#file.truncate(this.#active.sizeBytes);
    } catch {
      // A device in trouble says so to the next sync, which is where somebody waits for an answer.
    }
  }

  /** Best effort: without the mark recovery knows less, and nothing else depends on it. */
  #markDurable(file: DiskFile): void {
    if (file !== this.#file) return;
    const mark = encodeDurableMark(this.#durable.recno);
    try {
      file.write(mark.offset, mark.bytes);
    } catch {
      // The pages of a header that was written before are there; a device in trouble will say so
      // to the next sync, which is where somebody waits for an answer.
    }
  }

  #break(cause: unknown): KmlBrokenError {
    this.#broken ??= new KmlBrokenError(this.#active.name, cause);
    return this.#broken;
  }

  #closeRetired(): void {
    for (const file of this.#retired.splice(0)) file.close();
  }
}

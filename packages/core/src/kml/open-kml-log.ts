import { IzoError } from "../errors.ts";
import type { Disk, DiskFile } from "./disk.ts";
import { type FilesetId, NO_RECNO, type PeerId, type Recno } from "./identity.ts";
import { isZero } from "./is-zero.ts";
import { KmlDamageError } from "./kml-damage-error.ts";
import { KmlLog } from "./kml-log.ts";
import { KmlReader } from "./kml-reader.ts";
import { createSegment, emptySegment } from "./new-segment.ts";
import type { Position } from "./position.ts";
import { type HashFunction, portableHash, RunningHash, startPosition } from "./running-hash.ts";
import {
  bytesSource,
  type ScannedRecord,
  scanRecords,
  scanRecordsBackwards,
} from "./scan-records.ts";
import {
  parseDurableMark,
  parseSegmentHeader,
  parseSegmentName,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  segmentName,
} from "./segment-header.ts";
import { Segment } from "./segment.ts";
import { judgeBadRecord, type TornTail } from "./torn-tail.ts";

/** Size at which a segment is sealed; at most twice this where nobody syncs. */
export const DEFAULT_SEGMENT_BYTES = 4 * 1024 * 1024;

/** The directory holds the log of something else. */
export class WrongLogError extends IzoError {
  constructor(dir: string, what: string, found: string, expected: string) {
    super(
      "wrong-log",
      `Cannot open the log in ${JSON.stringify(dir)}: it belongs to the ${what} ${found}, not ${expected}`,
      { dir, what, found, expected },
    );
  }
}

/** There is no log where one should be read. */
export class NoLogError extends IzoError {
  constructor(dir: string) {
    super("no-log", `Cannot find a log in ${JSON.stringify(dir)}: it holds no segment`, { dir });
  }
}

export interface OpenKmlLogOptions {
  readonly disk: Disk;
  /** Directory of the segments, made where it is missing. Nothing else may be in it. */
  readonly dir: string;
  readonly fileset: FilesetId;
  /** The peer whose log it is. */
  readonly peer: PeerId;
  readonly hash?: HashFunction;
  readonly segmentBytes?: number;
}

/**
 * Opens a log to append to it, or starts one. All headers are read and their chain is checked; the
 * last segment is read whole: a torn tail is cut off, damage is reported. Sealed segments are not
 * read (see `verifyLog`). On return all of the log is durable.
 *
 * @throws KmlDamageError naming segment and offset; KmlVersionError; WrongLogError.
 */
export async function openKmlLog(options: OpenKmlLogOptions): Promise<KmlLog> {
  const { disk, dir, fileset, peer, hash = portableHash } = options;
  disk.makeDirectory(dir);
  const found = loadSegments(disk, dir, hash);
  for (const { header } of found.segments.slice(0, 1)) {
    if (header.fileset !== fileset)
      throw new WrongLogError(dir, "fileset", header.fileset, fileset);
    if (header.peer !== peer) throw new WrongLogError(dir, "peer", header.peer, peer);
  }
  for (const name of found.unborn) disk.remove(`${dir}/${name}`);
  const segments = found.segments;
  const head = found.head ?? startPosition(fileset, hash);
  const last = segments.at(-1);
  const file =
    last === undefined
      ? startLog(disk, dir, segments, { fileset, peer, head })
      : reviveSegment(disk, last);
  await file.sync();
  await disk.syncDirectory(dir);
  const { tornTail } = found;
  const segmentBytes = options.segmentBytes ?? DEFAULT_SEGMENT_BYTES;
  return new KmlLog({ disk, hash, dir, segments, file, head, segmentBytes, tornTail });
}

/**
 * Opens a log to read it as it stands, and changes nothing: for a look at the log of a process that
 * may be running. What is behind the last intact record is not part of it.
 *
 * @throws NoLogError, KmlDamageError, KmlVersionError.
 */
export function openKmlReader(
  disk: Disk,
  dir: string,
  hash: HashFunction = portableHash,
): KmlReader {
  const { segments } = loadSegments(disk, dir, hash);
  if (segments.length === 0) throw new NoLogError(dir);
  return new KmlReader(disk, hash, segments);
}

interface FoundLog {
  readonly segments: Segment[];
  /** Null where there is no segment. */
  readonly head: Position | null;
  readonly tornTail: TornTail | null;
  /** A file that was to become a segment when a crash came; nothing in it was durable. */
  readonly unborn: readonly string[];
}

function loadSegments(disk: Disk, dir: string, hash: HashFunction): FoundLog {
  const names = disk
    .list(dir)
    .filter((name) => parseSegmentName(name) !== null)
    .toSorted();
  const unborn: string[] = [];
  if (names.length > 0 && isUnborn(disk, dir, names)) unborn.push(names.pop()!);
  const segments: Segment[] = [];
  for (const [index, name] of names.slice(0, -1).entries()) {
    segments.push(loadSealedSegment(disk, dir, name, names[index + 1]!));
  }
  const lastName = names.at(-1);
  if (lastName === undefined) return { segments, head: null, tornTail: null, unborn };
  const { segment, head, tornTail } = loadLastSegment(disk, dir, lastName, hash);
  segments.push(segment);
  checkChain(segments);
  return { segments, head, tornTail, unborn };
}

/**
 * Tells whether the last file is a segment that a crash kept from being made: its header is torn and
 * nothing follows, or the sector with the header never reached the disk. Records are durable only
 * once the header is, so no record in it ever was. The first segment of a log is made durable before
 * anything is appended: there, only a file with nothing behind the header can be meant.
 */
function isUnborn(disk: Disk, dir: string, names: readonly string[]): boolean {
  const file = disk.open(`${dir}/${names.at(-1)}`, "read");
  try {
    const header = file.read(0, SEGMENT_HEADER_BYTES);
    if (header.length < SEGMENT_HEADER_BYTES) return true;
    const isLost = isZero(header, 0, header.length);
    return isLost && (names.length > 1 || file.sizeBytes() === SEGMENT_HEADER_BYTES);
  } finally {
    file.close();
  }
}

/** Reads a sealed segment's header; its last record is that before the next segment's first. */
function loadSealedSegment(disk: Disk, dir: string, name: string, next: string): Segment {
  const last = (parseSegmentName(next)! - 1) as Recno;
  const file = disk.open(`${dir}/${name}`, "read");
  try {
    const header = parseNamedHeader(file.read(0, SEGMENT_HEADER_BYTES), name);
    const sizeBytes = file.sizeBytes();
    const range = { source: file, segment: name, start: SEGMENT_HEADER_BYTES, end: sizeBytes };
    // Reading one record backwards is enough to see that the segment ends where the next begins.
    if (scanRecordsBackwards(range, last).next().done === true) {
      throw new KmlDamageError({ segment: name, offset: sizeBytes }, `record ${last} is missing`);
    }
    return new Segment(dir, header, { last, sizeBytes, isSealed: true });
  } finally {
    file.close();
  }
}

interface LastSegment {
  readonly segment: Segment;
  readonly head: Position;
  readonly tornTail: TornTail | null;
}

/** Reads the last segment whole, up to its end or the torn tail. */
function loadLastSegment(disk: Disk, dir: string, name: string, hash: HashFunction): LastSegment {
  const bytes = readWhole(disk, `${dir}/${name}`);
  const header = parseNamedHeader(bytes, name);
  // One that cannot be read says nothing; what is bad is then judged by what stands around it.
  const durable = parseDurableMark(bytes) ?? NO_RECNO;
  const segment = new Segment(dir, header, emptySegment((header.first - 1) as Recno));
  const running = new RunningHash(header.hashBefore, hash);
  let tornTail: TornTail | null = null;
  const take = (record: ScannedRecord): void => {
    running.extend(record.bytes);
    segment.last = record.recno;
    segment.sizeBytes = record.offset + record.bytes.length;
    segment.noteCheckpoint(record.recno, segment.sizeBytes, () => running.digits());
  };
  const range = {
    source: bytesSource(bytes),
    segment: name,
    start: SEGMENT_HEADER_BYTES,
    end: bytes.length,
  };
  try {
    for (const record of scanRecords(range, header.first)) take(record);
  } catch (error) {
    if (!(error instanceof KmlDamageError)) throw error;
    const recno = (segment.last + 1) as Recno;
    const reason = String(error.data["reason"]);
    tornTail = judgeBadRecord({
      bytes,
      segment: name,
      offset: segment.sizeBytes,
      recno,
      reason,
      durable,
    });
  }
  if (segment.last < durable) {
    throw new KmlDamageError(
      { segment: name, offset: segment.sizeBytes },
      `the log ends with record ${segment.last}, and record ${durable} was durable`,
    );
  }
  return { segment, head: { recno: segment.last, hash: running.digits() }, tornTail };
}

function checkChain(segments: readonly Segment[]): void {
  const { fileset, peer } = segments[0]!.header;
  for (const { header, name } of segments) {
    if (header.fileset !== fileset || header.peer !== peer) {
      throw new KmlDamageError({ segment: name, offset: 0 }, "it belongs to another log");
    }
  }
}

function parseNamedHeader(bytes: Uint8Array, name: string): SegmentHeader {
  const header = parseSegmentHeader(bytes, name);
  if (segmentName(header.first) !== name) {
    throw new KmlDamageError(
      { segment: name, offset: 0 },
      `its header says that it starts with record ${header.first}`,
    );
  }
  return header;
}

function startLog(
  disk: Disk,
  dir: string,
  segments: Segment[],
  log: { fileset: FilesetId; peer: PeerId; head: Position },
): DiskFile {
  const header = {
    fileset: log.fileset,
    peer: log.peer,
    first: 1 as Recno,
    hashBefore: log.head.hash,
  };
  const segment = new Segment(dir, header, emptySegment(NO_RECNO));
  segments.push(segment);
  return createSegment(disk, segment.path, header);
}

/**
 * Opens the last segment for appending: cuts the torn tail, and writes what is left anew. After a
 * failed fdatasync and a restart, the kernel may hold pages that never reached the disk and that it
 * calls clean: reading them proves nothing, and only writing them again makes them durable. The bytes
 * are the same, so a crash meanwhile changes nothing.
 */
function reviveSegment(disk: Disk, segment: Segment): DiskFile {
  const file = disk.open(segment.path, "write");
  try {
    // Space that was reserved behind the end stays reserved: the disk may be full now.
    if (file.sizeBytes() > segment.sizeBytes) file.truncate(segment.sizeBytes);
    file.write(0, file.read(0, segment.sizeBytes));
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

function readWhole(disk: Disk, path: string): Uint8Array {
  const file = disk.open(path, "read");
  try {
    return file.read(0, file.sizeBytes());
  } finally {
    file.close();
  }
}

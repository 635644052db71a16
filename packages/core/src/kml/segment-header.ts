import { ByteReader } from "./byte-reader.ts";
import { ByteWriter } from "./byte-writer.ts";
import { crc32c } from "./crc32c.ts";
import {
  type FilesetId,
  isRecno,
  NO_RECNO,
  type PeerId,
  type Recno,
  type Sha256,
} from "./identity.ts";
import { isZero } from "./is-zero.ts";
import { KmlDamageError, KmlVersionError } from "./kml-damage-error.ts";
import { KML_VERSION } from "./record-layout.ts";

/**
 * The first bytes of every segment, layout in `docs/formats/kml.md`: what log it belongs to and the
 * position before its first record, so that a segment can be verified with nothing but itself.
 */
export interface SegmentHeader {
  readonly fileset: FilesetId;
  /** The peer whose log it is. */
  readonly peer: PeerId;
  readonly first: Recno;
  /** Running hash of the log before record {@link first}. */
  readonly hashBefore: Sha256;
}

export const SEGMENT_HEADER_BYTES = 128;
/** `izo kml` and a line feed, which a transfer in text mode would change. */
const MAGIC = new TextEncoder().encode("izo kml\n");
const CHECKSUM_OFFSET = 92;
const MARK_OFFSET = 96;
const MARK_BYTES = 12;

/** The 128 bytes of a header, without a durable mark. */
export function encodeSegmentHeader(header: SegmentHeader): Uint8Array<ArrayBuffer> {
  const w = new ByteWriter();
  w.raw(MAGIC);
  w.u32(KML_VERSION, "version");
  w.u32(SEGMENT_HEADER_BYTES, "header length");
  w.hex(header.fileset, 16, "fileset");
  w.hex(header.peer, 16, "peer");
  w.u53(header.first, "first recno");
  w.hex(header.hashBefore, 32, "running hash");
  w.u32(0, "reserved");
  w.u32(crc32c(w.bytes), "checksum");
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  bytes.set(w.bytes);
  return bytes;
}

/**
 * Reads the header at the start of `bytes`; checked in order: length, magic, version, checksum.
 *
 * @throws KmlDamageError, KmlVersionError naming `segment`.
 */
export function parseSegmentHeader(bytes: Uint8Array, segment: string): SegmentHeader {
  const location = { segment, offset: 0 };
  if (bytes.length < SEGMENT_HEADER_BYTES) {
    throw new KmlDamageError(location, `${bytes.length} bytes are too few for a segment's header`);
  }
  const reader = new ByteReader(bytes, MAGIC.length, SEGMENT_HEADER_BYTES);
  if (MAGIC.some((byte, index) => bytes[index] !== byte)) {
    throw new KmlDamageError(location, "it does not start as a segment does");
  }
  const version = reader.u32();
  if (version !== KML_VERSION) throw new KmlVersionError(location, version, KML_VERSION);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (view.getUint32(CHECKSUM_OFFSET, true) !== crc32c(bytes, 0, CHECKSUM_OFFSET)) {
    throw new KmlDamageError(location, "the header's checksum does not match");
  }
  if (!isZero(bytes, MARK_OFFSET + MARK_BYTES, SEGMENT_HEADER_BYTES)) {
    throw new KmlDamageError(location, "something stands between the header and the first record");
  }
  reader.u32();
  return {
    fileset: reader.id() as FilesetId,
    peer: reader.id() as PeerId,
    first: reader.u53("first recno") as Recno,
    hashBefore: reader.hash() as Sha256,
  };
}

/**
 * The durable mark: the last recno that was durable when the mark was written. It stands behind the
 * header's checksum, is overwritten in place after each sync and becomes durable with the next one,
 * so after a crash it lags by at most one sync. It tells damage (a bad record that had been durable)
 * from a torn tail (one that had not). The only mutable bytes of a segment, and no part of what is
 * served: {@link clearDurableMark}.
 */
export function encodeDurableMark(recno: Recno): { offset: number; bytes: Uint8Array } {
  const w = new ByteWriter();
  w.u53(recno, "durable recno");
  w.u32(crc32c(w.bytes), "checksum");
  return { offset: MARK_OFFSET, bytes: w.bytes };
}

/** The recno of the durable mark; 0 where none was written, null where it cannot be read. */
export function parseDurableMark(bytes: Uint8Array): Recno | null {
  if (isZero(bytes, MARK_OFFSET, MARK_OFFSET + MARK_BYTES)) return NO_RECNO;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const recno =
    view.getUint32(MARK_OFFSET + 4, true) * 0x1_0000_0000 + view.getUint32(MARK_OFFSET, true);
  const isIntact =
    view.getUint32(MARK_OFFSET + 8, true) === crc32c(bytes, MARK_OFFSET, MARK_OFFSET + 8);
  return isIntact && isRecno(recno) ? recno : null;
}

/** Clears the durable mark in a part of a segment's bytes that starts at `offset` of the segment. */
export function clearDurableMark(part: Uint8Array, offset: number): void {
  const start = Math.max(0, MARK_OFFSET - offset);
  const end = MARK_OFFSET + MARK_BYTES - offset;
  if (end > start) part.fill(0, start, end);
}

const SEGMENT_NAME = /^([0-9]{16})\.kml$/;

/** File name of the segment that starts with this record: sorts as the log does. */
export function segmentName(first: Recno): string {
  return `${String(first).padStart(16, "0")}.kml`;
}

/** First recno by a segment's file name, or null where the name is not that of a segment. */
export function parseSegmentName(name: string): Recno | null {
  const digits = SEGMENT_NAME.exec(name)?.[1];
  const first = Number(digits);
  return digits !== undefined && first > 0 && isRecno(first) ? first : null;
}

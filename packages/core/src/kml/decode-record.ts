import { IzoError } from "../errors.ts";
import { ByteFormatError, ByteReader } from "./byte-reader.ts";
import { crc32c } from "./crc32c.ts";
import { decodeOperation } from "./decode-operation.ts";
import type { PeerId, Recno } from "./identity.ts";
import { type DamageLocation, KmlDamageError, KmlVersionError } from "./kml-damage-error.ts";
import {
  FLAGS_OFFSET,
  KML_VERSION,
  MAX_GROUPS,
  MAX_RECORD_BYTES,
  MIN_RECORD_BYTES,
  PREFIX_BYTES,
  RECNO_OFFSET,
  SUFFIX_BYTES,
  VERSION_OFFSET,
} from "./record-layout.ts";
import type { KmlRecord } from "./record.ts";

/** What {@link decodeRecord} names as the source when it is not told one. */
const UNNAMED: DamageLocation = { segment: "the records", offset: 0 };

/**
 * Why `bytes` holds no intact record at `offset`, or null where it does. "Intact" is length and
 * checksum: the bytes are those that were written. What they mean is for {@link decodeRecord}.
 */
export function findRecordFault(
  bytes: Uint8Array,
  offset: number,
  end = bytes.length,
): string | null {
  const room = end - offset;
  if (room < MIN_RECORD_BYTES) return `${room} bytes are too few for a record`;
  const length = readU32(bytes, offset);
  if (length < MIN_RECORD_BYTES || length > MAX_RECORD_BYTES)
    return `${length} is no record's length`;
  if (length > room) return `a record of ${length} bytes is cut off after ${room}`;
  const suffix = offset + length - SUFFIX_BYTES;
  if (readU32(bytes, suffix + 4) !== length) return "the record's two lengths differ";
  if (readU32(bytes, suffix) !== crc32c(bytes, offset, suffix))
    return "the checksum does not match";
  return null;
}

/** Length of the record at `offset`, of which at least the prefix must be there. */
export function recordLength(bytes: Uint8Array, offset: number): number {
  return readU32(bytes, offset);
}

/** Number of the record at `offset`, of which the first 16 bytes must be there. */
export function recordRecno(bytes: Uint8Array, offset: number): Recno {
  const at = offset + RECNO_OFFSET;
  return (readU32(bytes, at + 4) * 0x1_0000_0000 + readU32(bytes, at)) as Recno;
}

/**
 * Reads the record at `offset`. Checked in order: length, checksum, version, body, and that the body
 * ends where the record says. `location` names the place of `offset` in errors.
 *
 * @throws KmlDamageError when the bytes are no intact, meaningful record; KmlVersionError when they
 *   are of a format that this program does not know.
 */
export function decodeRecord(
  bytes: Uint8Array,
  offset = 0,
  location: DamageLocation = { ...UNNAMED, offset },
): KmlRecord {
  const fault = findRecordFault(bytes, offset);
  if (fault !== null) throw new KmlDamageError(location, fault);
  return decodeIntactRecord(bytes, offset, location);
}

/** {@link decodeRecord} for bytes in which {@link findRecordFault} has found none. */
export function decodeIntactRecord(
  bytes: Uint8Array,
  offset: number,
  location: DamageLocation,
): KmlRecord {
  const version = bytes[offset + VERSION_OFFSET]!;
  if (version !== KML_VERSION) throw new KmlVersionError(location, version, KML_VERSION);
  const flags = bytes[offset + FLAGS_OFFSET]!;
  if (flags !== 0) throw new KmlDamageError(location, `flags ${flags} are not known`);
  const end = offset + readU32(bytes, offset) - SUFFIX_BYTES;
  const opcode = bytes[offset + 4]! | (bytes[offset + 5]! << 8);
  const reader = new ByteReader(bytes, offset + PREFIX_BYTES, end);
  try {
    const record = readRecord(reader, opcode);
    if (reader.remaining !== 0) {
      throw new ByteFormatError(`${reader.remaining} bytes follow the body`);
    }
    return record;
  } catch (error) {
    if (error instanceof ByteFormatError || error instanceof IzoError) {
      throw new KmlDamageError(location, error.message, { cause: error });
    }
    throw error;
  }
}

function readRecord(r: ByteReader, opcode: number): KmlRecord {
  const recno = r.u53("recno") as Recno;
  if (recno === 0) throw new ByteFormatError("recno 0 is before the first record");
  return {
    recno,
    authorTimeNs: r.i64(),
    logTimeNs: r.i64(),
    origin: { peer: r.id() as PeerId, recno: r.u53("origin recno") as Recno, check: r.check() },
    actor: { uid: r.u32(), gid: r.u32(), groups: readGroups(r), command: r.text8() },
    operation: decodeOperation(r, opcode),
  };
}

const NO_GROUPS: readonly number[] = Object.freeze([]);

function readGroups(r: ByteReader): readonly number[] {
  const count = r.u32();
  if (count === 0) return NO_GROUPS;
  if (count > MAX_GROUPS || count * 4 > r.remaining) {
    throw new ByteFormatError(`there cannot be ${count} groups`);
  }
  const groups: number[] = [];
  for (let index = 0; index < count; index += 1) groups.push(r.u32());
  return groups;
}

function readU32(bytes: Uint8Array, at: number): number {
  return (
    (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
  );
}

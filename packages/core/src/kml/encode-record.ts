import { ByteWriter } from "./byte-writer.ts";
import { crc32c } from "./crc32c.ts";
import { encodeOperation } from "./encode-operation.ts";
import { InvalidRecordError } from "./invalid-record-error.ts";
import { OPCODES } from "./opcode.ts";
import { KML_VERSION, MAX_GROUPS, MAX_RECORD_BYTES, SUFFIX_BYTES } from "./record-layout.ts";
import type { KmlRecord } from "./record.ts";

const shared = new ByteWriter();

/** The bytes of one record, layout in `docs/formats/kml.md`. @throws InvalidRecordError */
export function encodeRecord(record: KmlRecord): Uint8Array<ArrayBuffer> {
  shared.reset();
  encodeRecordInto(shared, record);
  return shared.bytes.slice();
}

/**
 * Appends one record to a writer that is used again and again; on an error the writer is as before.
 *
 * @throws InvalidRecordError when a field is out of its range or the record is over 1 MiB;
 *   InvalidNameError, InvalidPathError when a name or a path is not safe.
 */
export function encodeRecordInto(w: ByteWriter, record: KmlRecord): void {
  const start = w.length;
  try {
    w.u32(0, "length");
    w.u16(OPCODES[record.operation.opcode], "opcode");
    w.u8(KML_VERSION, "version");
    w.u8(0, "flags");
    writeCommonPart(w, record);
    encodeOperation(w, record.operation);
    const length = w.length - start + SUFFIX_BYTES;
    if (length > MAX_RECORD_BYTES) {
      throw new InvalidRecordError(`it has ${length} bytes, more than ${MAX_RECORD_BYTES}`);
    }
    w.patchU32(start, length);
    w.u32(crc32c(w.bytes, start), "checksum");
    w.u32(length, "length");
  } catch (error) {
    w.reset(start);
    throw error;
  }
}

function writeCommonPart(w: ByteWriter, record: KmlRecord): void {
  const { origin, actor } = record;
  if (record.recno < 1) throw new InvalidRecordError(`recno ${record.recno} is below 1`);
  if (actor.groups.length > MAX_GROUPS) {
    throw new InvalidRecordError(
      `the actor has ${actor.groups.length} groups, more than ${MAX_GROUPS}`,
    );
  }
  w.u53(record.recno, "recno");
  w.i64(record.authorTimeNs, "author time");
  w.i64(record.logTimeNs, "log time");
  w.hex(origin.peer, 16, "origin peer");
  w.u53(origin.recno, "origin recno");
  w.hex(origin.check, 8, "origin check");
  w.u32(actor.uid, "uid");
  w.u32(actor.gid, "gid");
  w.u32(actor.groups.length, "count of groups");
  for (const group of actor.groups) w.u32(group, "group");
  w.text8(actor.command, "command");
}

import { ByteWriter } from "./byte-writer.ts";
import { encodeOperation } from "./encode-operation.ts";
import { bytesToHex } from "./hex.ts";
import type { TimeNs } from "./identity.ts";
import { OPCODES } from "./opcode.ts";
import type { OriginId, ReplicatedOperation } from "./operation.ts";
import type { Actor } from "./record.ts";
import { type HashFunction, portableHash } from "./running-hash.ts";

/** A client's record as its author sends it. */
export interface SentRecord {
  readonly authorTimeNs: TimeNs;
  readonly actor: Actor;
  readonly origin: OriginId;
  readonly operation: ReplicatedOperation;
}

const writer = new ByteWriter();

/**
 * The origin check of a record (design P2): the first 16 hexadecimal digits of the SHA-256 over what
 * its author sent, in the order of the record's own bytes. A cloned peer that sends something else
 * under the same number has another check; a resend has the same.
 */
export function computeOriginCheck(record: SentRecord, hash: HashFunction = portableHash): string {
  const { actor, origin, operation } = record;
  writer.reset();
  writer.i64(record.authorTimeNs, "author time");
  writer.hex(origin.peer, 16, "origin peer");
  writer.u53(origin.recno, "origin recno");
  writer.u32(actor.uid, "uid");
  writer.u32(actor.gid, "gid");
  writer.u32(actor.groups.length, "count of groups");
  for (const group of actor.groups) writer.u32(group, "group");
  writer.text8(actor.command, "command");
  writer.u16(OPCODES[operation.opcode], "opcode");
  encodeOperation(writer, operation);
  return bytesToHex(hash(writer.bytes).subarray(0, 8));
}

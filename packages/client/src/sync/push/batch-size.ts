import { type ClientOperation, MAX_INLINE_BYTES } from "@izo/core";

/** Of one push: small enough that its reply comes soon, large enough that round trips do not count. */
export const BATCH_RECORDS = 256;
export const BATCH_BYTES = 1024 * 1024;

/** What a record weighs in a batch beside its content: most are smaller. */
export const RECORD_BYTES = 512;

/** Bytes that travel with a record inside its push. */
export function inlineSize(operation: ClientOperation): number {
  const isInline = operation.opcode === "CLOSE" && operation.sizeBytes <= MAX_INLINE_BYTES;
  return isInline ? operation.sizeBytes : 0;
}

import { resolveOperation, type CloseOperation, type Oid, type StateReader } from "@izo/core";

/**
 * The object under which the cache keeps the content of an own CLOSE now: after a conflict or a save
 * over another file, that is not the object that its author named.
 */
export function contentOid(operation: CloseOperation, visible: StateReader): Oid {
  const resolution = resolveOperation(operation, visible);
  if (resolution.kind === "resolved" && resolution.operation.opcode === "CLOSE")
    return resolution.operation.oid;
  return operation.oid;
}

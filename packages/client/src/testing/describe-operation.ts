import type { ClientOperation } from "@izo/core";

/** An operation as tests write it: `CREATE /a`, `RENAME /a /b`. */
export function describeOperation(operation: ClientOperation): string {
  if (operation.opcode === "RENAME") return `RENAME ${operation.fromPath} ${operation.toPath}`;
  return "path" in operation ? `${operation.opcode} ${operation.path}` : operation.opcode;
}

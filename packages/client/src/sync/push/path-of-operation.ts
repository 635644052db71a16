import type { ReplicatedOperation } from "@izo/core";

/** The path to which an operation was done, as its author says; of a move, the new one. */
export function pathOfOperation(operation: ReplicatedOperation): string {
  if (operation.opcode === "RENAME") return operation.toPath;
  return "path" in operation ? operation.path : "/";
}

/**
 * A process that does operations in one directory when it is asked to, because the directory may be a mount,
 * and one that hangs must not hang the benchmark: `worker.ts DIRECTORY`.
 */
import { measure, OPERATIONS } from "./operations.ts";

/** What is asked for: one step of an operation. */
export interface Question {
  readonly name: string;
  readonly round: number;
  readonly step: "prepare" | "run";
}

const directory = process.argv[2] ?? "";

process.on("message", ({ name, round, step }: Question) => {
  const operation = OPERATIONS.find((each) => each.name === name)!;
  const place = { directory, round };
  if (step === "prepare") operation.prepare?.(place);
  process.send?.(step === "run" ? measure(operation, place) : 0);
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

import { IzoError, type KmlRecord, recordToJson, retryDelayMs } from "@izo/core";

import { recordEnvironment } from "./record-environment.ts";

/** The command did not end well for a record, however often it was tried. */
export class CommandFailedError extends IzoError {
  constructor(recno: number, end: string, attempts: number) {
    super(
      "command-failed",
      `Cannot go on behind record ${recno - 1}: the command ended with ${end} for record ${recno}, ${attempts} times`,
      { recno, end, attempts },
    );
  }
}

export interface CommandOptions {
  /** The program and its arguments, as they are: no shell reads them. */
  readonly command: readonly string[];
  readonly url: string;
  /** Attempts after the first. */
  readonly retries: number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly onFailed: (end: string, attempt: number) => void;
  readonly random: () => number;
}

/**
 * Runs the command for one record, which it gets as environment variables and as JSON on its standard
 * input; again after a failure, a bounded number of times, with growing pauses.
 *
 * @throws CommandFailedError; the reason of the signal
 */
export async function runForRecord(record: KmlRecord, options: CommandOptions): Promise<void> {
  const { retries, signal, onFailed, random } = options;
  for (let attempt = 1; ; attempt += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one attempt after another
    const end = await runOnce(record, options);
    signal.throwIfAborted();
    if (end === null) return;
    onFailed(end, attempt);
    if (attempt > retries) throw new CommandFailedError(record.recno, end, attempt);
    // oxlint-disable-next-line no-await-in-loop
    await sleep(retryDelayMs(attempt, random()), undefined, { signal });
  }
}

/** @returns how it ended, or null where it ended well */
async function runOnce(record: KmlRecord, options: CommandOptions): Promise<string | null> {
  const [program = "", ...args] = options.command;
  const child = spawn(program, args, {
    stdio: ["pipe", "inherit", "inherit"],
    env: { ...options.env, ...recordEnvironment(record, options.url) },
    signal: options.signal,
  });
  // A command need not read what it is given.
  child.stdin.on("error", () => {});
  child.stdin.end(`${JSON.stringify(recordToJson(record))}\n`);
  try {
    const [status, killedBy] = (await once(child, "close")) as [number | null, string | null];
    return status === 0 ? null : (killedBy ?? `status ${status}`);
  } catch (error) {
    if (options.signal.aborted) throw options.signal.reason;
    return error instanceof Error ? error.message : String(error);
  }
}

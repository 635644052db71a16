import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";

import { runCommand } from "../hosts/run-command.ts";

/** Longest that a system call of a case may take; then it hangs. */
const CALL_MS = 20_000;

const SOURCE = join(import.meta.dirname, "caller");

/** Compiles the program that makes the calls; gives the command that starts it. */
export async function buildCaller(directory: string): Promise<string[]> {
  const program = join(directory, "caller");
  const sources = readdirSync(SOURCE).filter((name) => name.endsWith(".c"));
  const paths = sources.map((name) => join(SOURCE, name));
  await runCommand(["cc", "-O1", "-Wall", "-o", program, ...paths]);
  return [program];
}

interface Waiting {
  resolve(answer: string): void;
  reject(error: Error): void;
}

/** A process that makes system calls as it is told; where root starts it, as whatever user. */
export class CallerProcess implements Disposable {
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  #waiting: Waiting | undefined;

  /** @param command of {@link buildCaller}, perhaps with what has it run as somebody else */
  constructor([file = "", ...args]: readonly string[]) {
    this.#child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface(this.#child.stdout!);
    this.#lines.on("line", (answer) => this.#settle((waiting) => waiting.resolve(answer.trim())));
    this.#child.once("exit", (status, signal) => {
      const error = new Error(`Cannot call: the caller ended with ${signal ?? status}`);
      this.#settle((waiting) => waiting.reject(error));
    });
  }

  /** Makes one call; its answer. @throws Error when it hangs, or ends the process */
  async call(line: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const timer = setTimeout(() => {
      this.#child.kill("SIGKILL");
      reject(new Error(`Cannot call ${line.slice(0, 200)}: it hangs`));
    }, CALL_MS);
    this.#waiting = { resolve, reject };
    this.#child.stdin!.write(`${line}\n`);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  #settle(settle: (waiting: Waiting) => void): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) settle(waiting);
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }
}

import { toJson } from "./json.ts";
import { harmlessOn } from "./printable.ts";
import { type Progress, ProgressBar } from "./progress-bar.ts";

/** A standard stream, as far as the commands use it. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  /** False where the stream has enough for now, if it has `once`. */
  write(text: string | Uint8Array): unknown;
  once?(event: "drain", listener: () => void): unknown;
}

/** Shows how long work goes on; disposing of it takes the display away. */
export interface ProgressDisplay extends Disposable {
  update(progress: Progress): void;
}

/** What a command says, to people or, with `--json`, to programs. */
export interface Output {
  readonly isJson: boolean;
  /** The result: one object, or one line of a stream of objects; `text` is its form for people. */
  result(value: unknown, text: string): void;
  /** A line for people that is no result: nothing with `--json`. */
  say(text: string): void;
  /** Something that people should know although it worked; on standard error, also with `--json`. */
  warn(text: string): void;
  /** A bar on a terminal, nothing elsewhere. */
  progress(label: string): ProgressDisplay;
}

const NO_DISPLAY: ProgressDisplay = { update() {}, [Symbol.dispose]() {} };

/** Results go to `stdout`, all else to `stderr`, so that a pipe gets nothing but results. */
export function createOutput(
  options: { readonly isJson: boolean },
  streams: { readonly stdout: OutputStream; readonly stderr: OutputStream },
): Output {
  const { isJson } = options;
  const { stdout, stderr } = streams;
  return {
    isJson,
    result(value, text) {
      stdout.write(`${isJson ? toJson(value) : harmlessOn(stdout, text)}\n`);
    },
    say(text) {
      if (!isJson) stdout.write(`${harmlessOn(stdout, text)}\n`);
    },
    warn(text) {
      stderr.write(`warning: ${harmlessOn(stderr, text)}\n`);
    },
    progress(label) {
      return stderr.isTTY === true && !isJson ? new ProgressBar(label, stderr) : NO_DISPLAY;
    },
  };
}

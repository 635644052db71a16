import type { OutputStream } from "./output.ts";
import { harmlessOn } from "./printable.ts";

/** Another screen of the terminal, without a cursor; what stood there before comes back at the end. */
const ENTER = "\u001b[?1049h\u001b[?25l";
const LEAVE = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const CLEAR_REST_OF_LINE = "\u001b[K";
const CLEAR_REST_OF_SCREEN = "\u001b[J";

/**
 * A text that is shown in the place of the one before. Where there is no terminal each is written below
 * the other. Disposing of it gives the terminal back.
 */
export class LiveScreen implements Disposable {
  readonly #stream: OutputStream;
  readonly #isLive: boolean;
  #shown = 0;

  constructor(stream: OutputStream, { isLive }: { readonly isLive: boolean }) {
    this.#stream = stream;
    this.#isLive = isLive && stream.isTTY === true;
  }

  show(text: string): void {
    const isFirst = this.#shown === 0;
    this.#shown += 1;
    if (!this.#isLive) {
      this.#stream.write(`${isFirst ? "" : "\n"}${harmlessOn(this.#stream, text)}\n`);
      return;
    }
    // Line by line over the old ones: clearing all of it first would flicker.
    const lines = harmlessOn(this.#stream, text)
      .split("\n")
      .map((line) => `${line}${CLEAR_REST_OF_LINE}\n`);
    this.#stream.write(`${isFirst ? ENTER : ""}${HOME}${lines.join("")}${CLEAR_REST_OF_SCREEN}`);
  }

  [Symbol.dispose](): void {
    if (this.#isLive && this.#shown > 0) this.#stream.write(LEAVE);
  }
}

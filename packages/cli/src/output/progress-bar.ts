import { formatCount } from "./quantity.ts";

/** Where a bar is drawn: standard error when it is a terminal. */
export interface Terminal {
  readonly columns?: number;
  write(text: string): unknown;
}

/** What is done, of how much; a total of undefined is not known yet. */
export interface Progress {
  readonly done: number;
  readonly total: number | undefined;
  /** What the numbers count: "files". */
  readonly unit: string;
  /** Said behind the numbers: "1.5 GiB". */
  readonly detail?: string;
}

/** Ten times a second is as fluent as anybody can see, and costs nothing beside the work. */
const REDRAW_INTERVAL_MS = 100;
const BAR_CELLS = 24;
const CLEAR_LINE = "\r\u001b[K";

/** One line of a terminal that is drawn again as work goes on, and is gone when it ends. */
export class ProgressBar implements Disposable {
  readonly #label: string;
  readonly #terminal: Terminal;
  readonly #now: () => number;
  #drawnAtMs = -Infinity;

  constructor(
    label: string,
    terminal: Terminal,
    now: () => number = performance.now.bind(performance),
  ) {
    this.#label = label;
    this.#terminal = terminal;
    this.#now = now;
  }

  /** Draws, unless it just did. */
  update(progress: Progress): void {
    const nowMs = this.#now();
    if (nowMs - this.#drawnAtMs < REDRAW_INTERVAL_MS) return;
    this.#drawnAtMs = nowMs;
    const line = formatProgress(this.#label, progress);
    this.#terminal.write(CLEAR_LINE + line.slice(0, (this.#terminal.columns ?? 80) - 1));
  }

  [Symbol.dispose](): void {
    if (this.#drawnAtMs > -Infinity) this.#terminal.write(CLEAR_LINE);
  }
}

/** The text of a bar: "Scanning ████░░░░  50 %  10 of 20 files  1.5 GiB". */
export function formatProgress(label: string, progress: Progress): string {
  const { done, total, unit, detail } = progress;
  const parts = [label];
  if (total === undefined) {
    parts.push(`${formatCount(done)} ${unit}`);
  } else {
    // A total that was an estimate may be exceeded.
    const share = total === 0 ? 1 : Math.min(1, done / total);
    const filled = Math.round(share * BAR_CELLS);
    parts.push("█".repeat(filled) + "░".repeat(BAR_CELLS - filled));
    parts.push(`${Math.floor(share * 100)} %`.padStart(5));
    parts.push(`${formatCount(done)} of ${formatCount(Math.max(done, total))} ${unit}`);
  }
  if (detail !== undefined) parts.push(detail);
  return parts.join("  ");
}

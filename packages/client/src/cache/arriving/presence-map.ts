/** Bytes `[start, end)` of a content. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Which bytes of a content are here, as the fewest spans that say so. Fetches fill a content in long
 * runs, so there are few.
 */
export class PresenceMap {
  readonly sizeBytes: number;
  /** start, end, start, end …, going up, no two of them equal. */
  #edges: number[] = [];
  #presentBytes = 0;

  constructor(sizeBytes: number, spans: Iterable<Span> = []) {
    this.sizeBytes = sizeBytes;
    for (const { start, end } of spans) this.add(start, end);
  }

  get presentBytes(): number {
    return this.#presentBytes;
  }

  get isWhole(): boolean {
    return this.#presentBytes === this.sizeBytes;
  }

  /** Notes that these bytes are here; what is beyond the content's end does not count. */
  add(start: number, end: number): void {
    const last = Math.min(end, this.sizeBytes);
    if (start >= last) return;
    // An odd number of edges before a place means that it lies in a span; touching spans become one.
    const first = this.#edgesBefore(start);
    const next = this.#edgesUpTo(last);
    const replaced = this.#edges.slice(first, next);
    const isInFirst = first % 2 === 1;
    const isInNext = next % 2 === 1;
    const added = [...(isInFirst ? [] : [start]), ...(isInNext ? [] : [last])];
    this.#edges.splice(first, next - first, ...added);
    const before = [...(isInFirst ? [start] : []), ...replaced, ...(isInNext ? [last] : [])];
    this.#presentBytes += last - start - lengthOf(before);
  }

  /** Whether all of these bytes are here; none are missing beyond the content's end. */
  has(start: number, end: number): boolean {
    const last = Math.min(end, this.sizeBytes);
    const hole = this.holeFrom(start);
    return hole === undefined || hole.start >= last;
  }

  /** The first bytes at or behind `from` that are not here, up to the next that are. */
  holeFrom(from: number): Span | undefined {
    const at = this.#edgesUpTo(from);
    const start = at % 2 === 1 ? this.#edges[at]! : from;
    const end = this.#edges[at % 2 === 1 ? at + 1 : at] ?? this.sizeBytes;
    return start < this.sizeBytes ? { start, end } : undefined;
  }

  *spans(): Iterable<Span> {
    for (let at = 0; at < this.#edges.length; at += 2)
      yield { start: this.#edges[at]!, end: this.#edges[at + 1]! };
  }

  clear(): void {
    this.#edges = [];
    this.#presentBytes = 0;
  }

  #edgesBefore(place: number): number {
    return countWhile(this.#edges, (edge) => edge < place);
  }

  #edgesUpTo(place: number): number {
    return countWhile(this.#edges, (edge) => edge <= place);
  }
}

/** How many values at the front satisfy what no value behind them does. */
function countWhile(values: readonly number[], isBefore: (value: number) => boolean): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(values[middle]!)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function lengthOf(edges: readonly number[]): number {
  return edges.reduce((sum, edge, index) => sum + (index % 2 === 0 ? -edge : edge), 0);
}

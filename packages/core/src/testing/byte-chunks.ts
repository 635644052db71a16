import fc from "fast-check";

/** Where a body may be cut into the chunks in which it arrives. */
export const arbitraryCuts: fc.Arbitrary<readonly number[]> = fc.array(fc.nat({ max: 2000 }), {
  maxLength: 8,
});

/** The bytes in chunks that end at these places, as a network might deliver them. */
export async function* inChunks(
  bytes: Uint8Array,
  cuts: readonly number[] = [],
): AsyncGenerator<Uint8Array, void> {
  let at = 0;
  for (const cut of [...cuts].toSorted((a, b) => a - b)) {
    if (cut <= at || cut >= bytes.length) continue;
    yield bytes.subarray(at, cut);
    at = cut;
  }
  yield bytes.subarray(at);
}

/** All that a stream yields. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Chunks as one piece. */
export function concat(chunks: Iterable<Uint8Array>): Uint8Array {
  const list = [...chunks];
  const bytes = new Uint8Array(list.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of list) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

import { cachedFiles } from "./cached-files.ts";

/** Bytes of content under a directory of the cache. */
export async function measureContent(directory: string): Promise<number> {
  let total = 0;
  for await (const { bytes } of cachedFiles(directory)) total += bytes;
  return total;
}

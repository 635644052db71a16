/** Memory that each own record takes while it waits, 1 KB for a rewrite to 3 for a new file, with room for what is made in passing. */
const RECORD_BYTES = 4096;

/**
 * How many own records may wait for the server before no more are taken: what waits is in memory, and a process that
 * has used up its heap ends, as would each one after it that reads the same log.
 *
 * @param heapLimitBytes `v8.getHeapStatistics().heap_size_limit`
 */
export function mostPending(heapLimitBytes: number): number {
  return Math.floor(heapLimitBytes / RECORD_BYTES);
}

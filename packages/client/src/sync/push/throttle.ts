/** So many own records may wait with programs at full speed: each takes 1 to 3 KB of memory until the server has it. */
const FREE_RECORDS = 50_000;

/** From so many on, programs are held up the most. */
const FULL_RECORDS = 150_000;

/** Of each turn of 4 ms in which programs are answered, this long a pause leaves them a tenth of the time. */
const LONGEST_MS = 36;

/**
 * For how long to answer no program, after each turn of answers, so that what waits to be sent does not grow without end:
 * programs can make records several times as fast as a server takes them, and what waits is in memory too. The kernel
 * does the same to who writes faster than a disk does (`balance_dirty_pages`).
 *
 * @param waiting own records that the server has not acknowledged
 * @returns milliseconds, 0 for not at all
 */
export function throttleMs(waiting: number): number {
  const share = (waiting - FREE_RECORDS) / (FULL_RECORDS - FREE_RECORDS);
  return LONGEST_MS * Math.min(1, Math.max(0, share));
}

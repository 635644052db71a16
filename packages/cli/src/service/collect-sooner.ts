import { setFlagsFromString } from "node:v8";

/** How much the heap may grow between two full collections, of what was left of it by the last. */
const GROWTH_PERCENT = 80;

/**
 * Has V8 collect what is old before there is twice as much of it. By itself it lets a heap of this size
 * grow to three or four times of what is in use. What a request that waits has allocated is old when it is
 * answered: with 1,000 clients that wait for each record that was 100 MiB and more of garbage, for 3 % of
 * the server's processor time.
 */
export function collectSooner(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}

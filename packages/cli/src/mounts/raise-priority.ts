import { getPriority, setPriority } from "node:os";

/** setpriority(2); with a heavier hand programs that compute would hardly get on. */
const PRIORITY = -10;

/**
 * Lets this thread run before programs that compute: another program waits for each of its answers, and on
 * a busy machine waits for a turn of this thread longer than for anything that it does. Who has chosen a
 * priority for it, as with nice(1), keeps it; without the right nothing happens.
 */
export function raisePriority(): void {
  try {
    if (getPriority() === 0) setPriority(PRIORITY);
  } catch {
    // CAP_SYS_NICE is missing, as in many containers.
  }
}

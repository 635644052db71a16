import { uptime } from "node:os";

/**
 * Milliseconds since this machine was started, those in which it slept among them: a lease ends while
 * its holder sleeps. Nobody can set this clock. Read from `/proc/uptime`, in steps of 10 ms, in about
 * 5 us; `performance.now()` stands still while the machine sleeps.
 */
export function bootClockMs(): number {
  return uptime() * 1000;
}

import type { DriverName } from "./driver-name.ts";

/** What can be said of the driver of a mount: which it is, why, and what it has been asked. */
export interface DriverFacts {
  readonly name: DriverName;
  /** The version of the kernel's FUSE protocol that was agreed on, like `7.40`; null where libfuse knows it. */
  readonly protocol: string | null;
  /** The kernel reads and writes the cache files itself: data does not come through this process. */
  readonly hasPassthrough: boolean;
  /** Why it is this driver, and what keeps data from going past it. */
  readonly reason: string;
  /** The kernel's requests since the mount, by kind (`LOOKUP`, `OPEN` …); null where nobody counts them. */
  readonly requests: Readonly<Record<string, number>> | null;
  /** Null where the driver does nothing about them. */
  readonly wakeUps: WakeUpFacts | null;
}

/** Whether cores are woken quickly while programs ask often: see `docs/decisions/0019`. */
export interface WakeUpFacts {
  /** Within how many microseconds the kernel is asked to wake a core; null where it is never asked. */
  readonly limitUs: number | null;
  /** Why it is never asked; null where it is. */
  readonly obstacle: string | null;
  /** It is asked now. */
  readonly isHeld: boolean;
  /** How often it was asked since the mount, and for how long in all. */
  readonly times: number;
  readonly totalMs: number;
}

import { readdirSync } from "node:fs";

/** What a process has used, and since when. */
export interface ProcessUsage {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  readonly openDescriptors: number;
  /** In seconds since 1970. */
  readonly startSeconds: number;
}

/** The usage of this process. */
export function processUsage(): ProcessUsage {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  return {
    cpuSeconds: (user + system) / 1e6,
    residentBytes: rss,
    heapUsedBytes: heapUsed,
    openDescriptors: readdirSync("/proc/self/fd").length,
    startSeconds: Math.round(Date.now() / 1000 - process.uptime()),
  };
}

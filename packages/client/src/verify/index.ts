export type { CacheDifference } from "./cache-difference.ts";
export { inspectCache, type CacheInspection } from "./inspect-cache.ts";
export { readCache } from "./read-cache.ts";
export { repairCache, type CacheRepair } from "./repair-cache.ts";

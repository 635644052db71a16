/** The names of the cache modes, as `--mode` takes them. */
export const CACHE_MODES = ["on-demand", "replica"] as const;

/** How much a server or a mount writes to its log. */
export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;

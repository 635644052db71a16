import { OFFLINE_POLICIES, PERMIT_MODES } from "@izo/client";
import { z } from "zod";

/** The names of the cache modes, as `--mode` takes them. */
export const CACHE_MODES = ["on-demand", "replica"] as const;

/** How much a server or a mount writes to its log. */
export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;

/**
 * The configuration file: for each command the values of its options, under their names in camel
 * case. A word that is not here is an error, because a misspelt setting is otherwise found out late.
 */
export const configSchema = z.strictObject({
  serve: z
    .strictObject({
      listen: z.string().optional(),
      fileset: z.string().optional(),
      permitTerm: z.number().min(1).optional(),
      conflictPolicy: z.array(z.string()).optional(),
      logLevel: z.enum(LOG_LEVELS).optional(),
    })
    .optional(),
  mount: z
    .strictObject({
      cache: z.string().optional(),
      mode: z.enum(CACHE_MODES).optional(),
      permit: z.enum(PERMIT_MODES).optional(),
      offlinePolicy: z.enum(OFFLINE_POLICIES).optional(),
      logLevel: z.enum(LOG_LEVELS).optional(),
    })
    .optional(),
});

export type Config = z.infer<typeof configSchema>;

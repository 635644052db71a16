import {
  DRIVER_CHOICES,
  OFFLINE_POLICIES,
  PERMIT_MODES,
  QUICK_WAKE_CHOICES,
  WARM_UP_CHOICES,
} from "@izo/client";
import { z } from "zod";

import { CACHE_MODES, LOG_LEVELS } from "../commands/option-choices.ts";
import { parseAge } from "../commands/parse-age.ts";
import { parseSize, parseSizeOrNone } from "../commands/parse-size.ts";

/** A text of which an option's parser makes a number. */
const parsedBy = <T>(parse: (text: string) => T) =>
  z.string().transform((text, context) => {
    try {
      return parse(text);
    } catch (error) {
      context.addIssue({ code: "custom", message: (error as Error).message });
      return z.NEVER;
    }
  });

const age = parsedBy(parseAge);
const size = parsedBy(parseSize);
const sizeOrNone = parsedBy(parseSizeOrNone);

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
      holdRemovals: z.int().min(1).max(100).optional(),
      ignore: z.array(z.string()).optional(),
      tlsCert: z.string().optional(),
      tlsKey: z.string().optional(),
      clientCa: z.string().optional(),
      maxConnections: z.int().min(1).optional(),
      maxRequests: z.int().min(1).optional(),
      maxBuffered: size.optional(),
      readOnly: z.boolean().optional(),
      insecure: z.boolean().optional(),
      logMinAge: age.optional(),
      logMinSize: size.optional(),
      logPeerAge: age.optional(),
      logMaxSize: size.optional(),
      oldMinAge: age.optional(),
      oldMaxAge: age.optional(),
      oldMaxSize: size.optional(),
      oldMaxCount: z.int().min(0).optional(),
      logLevel: z.enum(LOG_LEVELS).optional(),
    })
    .optional(),
  mount: z
    .strictObject({
      cache: z.string().optional(),
      mode: z.enum(CACHE_MODES).optional(),
      driver: z.enum(DRIVER_CHOICES).optional(),
      quickWake: z.enum(QUICK_WAKE_CHOICES).optional(),
      warmUp: z.enum(WARM_UP_CHOICES).optional(),
      permit: z.enum(PERMIT_MODES).optional(),
      offlinePolicy: z.enum(OFFLINE_POLICIES).optional(),
      cacheQuota: sizeOrNone.optional(),
      streamFrom: sizeOrNone.optional(),
      ignore: z.array(z.string()).optional(),
      metrics: z.string().optional(),
      readOnly: z.boolean().optional(),
      tokenFile: z.string().optional(),
      ca: z.string().optional(),
      clientCert: z.string().optional(),
      clientKey: z.string().optional(),
      insecure: z.boolean().optional(),
      logLevel: z.enum(LOG_LEVELS).optional(),
    })
    .optional(),
});

export type Config = z.infer<typeof configSchema>;

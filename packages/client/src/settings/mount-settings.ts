import { isId, type Oid } from "@izo/core";
import { z } from "zod";

import { type HoardRule, MAX_PRIORITY } from "../keep/hoard-file.ts";
import type { Pin } from "../keep/keep-rules.ts";
import { type CredentialFiles, credentialFilesSchema } from "../remote/credentials.ts";

/**
 * What becomes of a program that opens a file whose content is not in the cache while the server cannot
 * be reached: it is told so at once (EHOSTUNREACH), or it waits until the server is back.
 */
export const OFFLINE_POLICIES = ["fail", "wait"] as const;

export type OfflinePolicy = (typeof OFFLINE_POLICIES)[number];

/** Fetching less takes no longer, on most networks, than a person notices. */
export const DEFAULT_STREAM_FROM_BYTES = 4 * 1024 * 1024;

/** What a user has decided about a mount, and finds again at the next one with the same cache. */
export interface MountSettings {
  /** No server is asked, whatever the network does, until this is taken back. */
  readonly isForcedOffline: boolean;
  readonly offlinePolicy: OfflinePolicy;
  /** How many bytes of content the cache keeps; null for as many as its disk holds. */
  readonly cacheQuotaBytes: number | null;
  /**
   * From which size on a file that is not in the cache can be read while it is fetched; null for never:
   * then an open waits until all of it is here and its hash is right.
   */
  readonly streamFromBytes: number | null;
  readonly pins: readonly Pin[];
  readonly hoard: readonly HoardRule[];
  /** Patterns, as `.gitignore` has them, of what is made on the mount and stays on this machine. */
  readonly ignore: readonly string[];
  /** Files with which the server is asked; what they hold is kept nowhere else. */
  readonly credentials: CredentialFiles;
}

export const DEFAULT_SETTINGS: MountSettings = {
  isForcedOffline: false,
  offlinePolicy: "fail",
  cacheQuotaBytes: null,
  streamFromBytes: DEFAULT_STREAM_FROM_BYTES,
  pins: [],
  hoard: [],
  ignore: [],
  credentials: {},
};

export const settingsSchema = z.object({
  isForcedOffline: z.boolean(),
  offlinePolicy: z.enum(OFFLINE_POLICIES),
  cacheQuotaBytes: z.int().positive().nullable(),
  streamFromBytes: z.int().nonnegative().nullable(),
  pins: z.array(
    z.object({
      oid: z.custom<Oid>((value) => typeof value === "string" && isId(value), "it is no object id"),
      path: z.string(),
    }),
  ),
  hoard: z.array(
    z.object({ pattern: z.string().min(1), priority: z.int().min(1).max(MAX_PRIORITY) }),
  ),
  ignore: z.array(z.string()),
  credentials: credentialFilesSchema,
});

/** Some of the settings, and their new values; what is absent stays. */
export type SettingsChange = Partial<MountSettings>;

export const settingsChangeSchema = settingsSchema.partial();

/** What of the settings can change while the mount is there: what is ignored cannot. */
export type LiveSettingsChange = Omit<SettingsChange, "ignore">;

export const liveSettingsChangeSchema = settingsChangeSchema.omit({ ignore: true });

import { z } from "zod";

/**
 * What becomes of a program that opens a file whose content is not in the cache while the server cannot
 * be reached: it is told so at once (EHOSTUNREACH), or it waits until the server is back.
 */
export const OFFLINE_POLICIES = ["fail", "wait"] as const;

export type OfflinePolicy = (typeof OFFLINE_POLICIES)[number];

/** What a user has decided about a mount, and finds again at the next one with the same cache. */
export interface MountSettings {
  /** No server is asked, whatever the network does, until this is taken back. */
  readonly isForcedOffline: boolean;
  readonly offlinePolicy: OfflinePolicy;
}

export const DEFAULT_SETTINGS: MountSettings = {
  isForcedOffline: false,
  offlinePolicy: "fail",
};

export const settingsSchema = z.object({
  isForcedOffline: z.boolean(),
  offlinePolicy: z.enum(OFFLINE_POLICIES),
});

/** Some of the settings, and their new values; what is absent stays. */
export type SettingsChange = Partial<MountSettings>;

export const settingsChangeSchema = settingsSchema.partial();

import type { ServeOptions } from "@izo/server";

/** How long records and old contents are kept, as the options and the configuration of `izo serve` say. */
export interface RetentionSettings {
  readonly logMinAge?: number | undefined;
  readonly logMinSize?: number | undefined;
  readonly logPeerAge?: number | undefined;
  readonly logMaxSize?: number | undefined;
  readonly oldMinAge?: number | undefined;
  readonly oldMaxAge?: number | undefined;
  readonly oldMaxSize?: number | undefined;
  readonly oldMaxCount?: number | undefined;
}

/** What the server is told: only what somebody said, in its words. */
export function retentionOf(
  settings: RetentionSettings,
): Required<Pick<ServeOptions, "logRetention" | "contentRetention">> {
  return {
    logRetention: said({
      keepMs: settings.logMinAge,
      keepBytes: settings.logMinSize,
      peerMs: settings.logPeerAge,
      maxBytes: settings.logMaxSize,
    }),
    contentRetention: said({
      minMs: settings.oldMinAge,
      maxAgeMs: settings.oldMaxAge,
      maxBytes: settings.oldMaxSize,
      maxCount: settings.oldMaxCount,
    }),
  };
}

function said<K extends string>(limits: Readonly<Record<K, number | undefined>>) {
  const entries = Object.entries<number | undefined>(limits);
  const given = entries.filter(([, limit]) => limit !== undefined);
  return Object.fromEntries(given) as Partial<Record<K, number>>;
}

/** The process of a whole mount, in tests: `serve-mount.ts URL MOUNT CACHE PERMIT-MODE [SETTINGS]`. */
import { IzoError } from "@izo/core";
import { pino } from "pino";

import { mountFileset } from "../mount.ts";
import type { PermitMode } from "../permit/permit-mode.ts";
import type { SettingsChange } from "../settings/mount-settings.ts";

/** What this process says first: it serves, or why it does not. */
export type MountAnswer =
  | { readonly kind: "serving" }
  | { readonly kind: "failed"; readonly code: string; readonly message: string };

const [url = "", mountPoint = "", cacheDir = "", permitMode, settings = "{}"] =
  process.argv.slice(2);

// Frees a test that hangs in a system call on the mount and so cannot end this process itself.
setTimeout(() => process.kill(process.pid, "SIGKILL"), 120_000).unref();

try {
  const logger = pino({ level: "silent" });
  await using mount = await mountFileset({
    url,
    mountPoint,
    cacheDir,
    mode: "on-demand",
    permitMode: permitMode as PermitMode,
    settings: JSON.parse(settings) as SettingsChange,
    logger,
  });
  process.once("SIGTERM", () => void mount.unmount());
  process.send?.({ kind: "serving" } satisfies MountAnswer);
  await mount.closed;
} catch (error) {
  const code = error instanceof IzoError ? error.code : "no-izo-error";
  process.send?.({ kind: "failed", code, message: String(error) } satisfies MountAnswer);
}
process.disconnect?.();

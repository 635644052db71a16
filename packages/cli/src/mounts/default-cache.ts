import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Where a mount keeps its cache when nobody says: `izo/HOST_PORT_FILESET` under `$XDG_CACHE_HOME` or
 * `~/.cache`. Two mounts of one fileset on one machine need a `--cache` each.
 *
 * @param url `http://HOST:PORT/FILESET`
 */
export function defaultCacheDir(
  url: string,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const base = env["XDG_CACHE_HOME"] ?? join(env["HOME"] ?? homedir(), ".cache");
  const name = url.replace(/^https?:\/\//i, "").replaceAll(/[^A-Za-z0-9.-]+/g, "_");
  return join(base, "izo", name.replace(/_$/, ""));
}

import type { Mount, MountOptions } from "./mount.ts";

/**
 * Mounts a fileset; resolves when the mount serves.
 *
 * A new cache needs the server once, for the tree; a cache that has one does not. The database and the
 * drivers are loaded by the first call: programs that only ask a mount or a server need neither, and
 * loading them takes longer than asking.
 *
 * @throws MountError, InvalidFilesetUrlError, CacheInUseError, CacheUnsupportedError,
 * ForeignCacheError, and what the server's absence or refusal throws while there is no tree
 */
export async function mountFileset(options: MountOptions): Promise<Mount> {
  const { mountFileset: mount } = await import("./mount.ts");
  return mount(options);
}

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

import { connectControl, type MountControl } from "@izo/client";

import { findMountNote, mountPointOf } from "../mounts/mount-registry.ts";

/** What `izo verify` is asked about. */
export type VerifyTarget =
  | { readonly kind: "export"; readonly dir: string }
  | { readonly kind: "cache"; readonly cacheDir: string }
  | { readonly kind: "mount"; readonly control: MountControl };

/** A mount point, a cache directory, mounted or not, or else an exported directory. */
export async function findVerifyTarget(path: string): Promise<VerifyTarget> {
  const note = findMountNote(mountPointOf(path));
  const dir = resolve(path);
  const cacheDir = note?.cacheDir ?? (isCache(dir) ? dir : undefined);
  if (cacheDir === undefined) return { kind: "export", dir };
  const control = connectControl(cacheDir);
  try {
    await control.status();
    return { kind: "mount", control };
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code !== "mount-not-answering") throw error;
    // A mount that died has left its note; its cache can be looked at.
    return { kind: "cache", cacheDir };
  }
}

function isCache(path: string): boolean {
  return ["config.json", "sysid", "tree"].every((name) => existsSync(join(path, name)));
}

import { existsSync } from "node:fs";
import { createRequire } from "node:module";

import { packageDirectory } from "../package-directory.ts";
import type { Addon } from "./addon.ts";
import { nativeTarget } from "./target.ts";

let loaded: Addon | undefined;

/**
 * The native part of this package, loaded at the first call and not at import: a program can be imported, and can print its
 * help, where the addon is missing.
 *
 * @throws {Error} with code `ERR_IZO_SYS_NOT_BUILT` where there is no file for this platform, naming the command that
 * builds it; with the loader's error as `cause` where there is one that does not load.
 */
export function native(): Addon {
  return (loaded ??= loadAddon(
    `${packageDirectory("@izo/sys", import.meta.url)}/`,
    nativeTarget(),
  ));
}

/** Loads `prebuilds/<target>/izo-sys.node` of the package in `root`; see {@link native}. */
export function loadAddon(root: string, target: string): Addon {
  const file = `${root}prebuilds/${target}/izo-sys.node`;
  if (!existsSync(file)) {
    throw notBuilt(`there is no "${file}"`, root);
  }
  try {
    return createRequire(import.meta.url)(file) as Addon;
  } catch (cause) {
    throw notBuilt(`"${file}" does not load`, root, { cause });
  }
}

function notBuilt(found: string, root: string, options?: ErrorOptions): Error {
  // Only a checkout has the sources of this very file, and pnpm to name the package to.
  const command = import.meta.url.endsWith(".ts")
    ? "pnpm --filter @izo/sys build:native"
    : `node "${root}scripts/build-native.mjs"`;
  const message = `Cannot load the native part of @izo/sys: ${found}; run \`${command}\`, a C compiler is all it needs`;
  return Object.assign(new Error(message, options), { code: "ERR_IZO_SYS_NOT_BUILT" });
}

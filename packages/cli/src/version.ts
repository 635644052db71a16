import { createRequire } from "node:module";

/** The version of this program, from its package. */
export function izoVersion(): string {
  const { version } = createRequire(import.meta.url)("@izo/cli/package.json") as {
    version: string;
  };
  return version;
}

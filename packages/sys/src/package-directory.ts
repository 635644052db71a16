import { createRequire } from "node:module";
import { dirname } from "node:path";

/**
 * Where a package is on disk that brings data beside its code: found by its name, because where the code runs may be a bundle
 * in another package.
 *
 * @param from `import.meta.url` of who asks
 */
export function packageDirectory(name: string, from: string): string {
  return dirname(createRequire(from).resolve(`${name}/package.json`));
}

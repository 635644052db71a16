/** Applies layer-rules.ts to every source file of every package: `pnpm layers`. */
import { globSync, readFileSync } from "node:fs";

import { findLayerViolations } from "./layer-rules.ts";

const paths = globSync("packages/*/src/**/*.ts");
const violations = paths.flatMap((path) => findLayerViolations(path, readFileSync(path, "utf8")));
for (const { path, line, specifier, rule } of violations) {
  console.error(`${path}:${line}: Cannot import "${specifier}": ${rule}`);
}
console.log(`layers: ${paths.length} files, ${violations.length} forbidden imports`);
process.exitCode = violations.length === 0 ? 0 : 1;

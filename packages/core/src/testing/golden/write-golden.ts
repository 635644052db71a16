// Writes the golden files of this version of the format to `kml/golden`. Run once for a version:
//   node --conditions=izo:source packages/core/src/testing/golden/write-golden.ts
// Files that exist are left alone: bytes that were written once must be readable for ever.
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { KML_VERSION } from "../../kml/record-layout.ts";
import { goldenFiles } from "./golden-files.ts";

const dir = join(import.meta.dirname, `../../kml/golden/v${KML_VERSION}`);
mkdirSync(dir, { recursive: true });
for (const [name, bytes] of await goldenFiles()) {
  const path = join(dir, name);
  if (existsSync(path)) console.log(`${path} is there already`);
  else writeFileSync(path, bytes);
}

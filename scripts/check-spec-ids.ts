/**
 * Shows which rules of spec-rules.ts the names of tests cite: `pnpm spec`. A citation of a rule that
 * does not exist fails; a rule that no test cites is listed.
 */
import { globSync, readFileSync } from "node:fs";

import { SPEC_RULES } from "./spec-rules.ts";

/**
 * The string that names a test, a group or a row of a table: `it("… [C4]"`, `describe.each(cases)("[D6] …"`,
 * `])("[Y15] …"` behind a table, `description: "[K9] …"`.
 */
const TEST_NAME = /(?:\b(?:it|test|describe)\b[^"'`\n]*\(|\]\)\(|\bdescription:)\s*(["'`])(.*?)\1/g;
const CITATION = /\[([A-Z]\d+)\]/g;

/** Rule → how many test names cite it. */
const citations = new Map<string, number>();
const unknown: string[] = [];
const paths = globSync(["packages/*/src/**/*.test.ts", "e2e/**/*.test.ts"], {
  exclude: ["**/node_modules/**", "**/dist/**"],
});
for (const path of paths) {
  for (const [, , name = ""] of readFileSync(path, "utf8").matchAll(TEST_NAME)) {
    for (const [, rule = ""] of name.matchAll(CITATION)) {
      if (rule in SPEC_RULES) citations.set(rule, (citations.get(rule) ?? 0) + 1);
      else unknown.push(`${path}: Cannot cite "${rule}": no such rule in scripts/spec-rules.ts`);
    }
  }
}

for (const [rule, promise] of Object.entries(SPEC_RULES)) {
  const count = citations.get(rule) ?? 0;
  console.log(`${rule}  ${count === 0 ? "  –" : String(count).padStart(3)}  ${promise}`);
}
console.log(`spec: ${citations.size} of ${Object.keys(SPEC_RULES).length} rules are cited`);
for (const line of unknown) console.error(line);
process.exitCode = unknown.length === 0 ? 0 : 1;

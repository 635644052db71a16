/**
 * The patterns by which an export was last served: `ignore.json` in its state directory. A start that
 * says nothing of them goes by it, so that nobody exports what was left out by forgetting an option;
 * `izo verify` and `izo reindex` do, too.
 */
import { existsSync, readFileSync } from "node:fs";

import { IgnoreRules, NO_RULES } from "@izo/core";
import { replaceFile } from "@izo/sys";
import { z } from "zod";

const schema = z.strictObject({ patterns: z.array(z.string()) });

/** @throws where somebody has changed the file to what it cannot be */
export function readIgnoreNote(path: string): IgnoreRules {
  if (!existsSync(path)) return NO_RULES;
  return new IgnoreRules(schema.parse(JSON.parse(readFileSync(path, "utf8"))).patterns);
}

/** Durable when it returns: before a start logs anything that the last one has left out. */
export function writeIgnoreNote(path: string, { patterns }: IgnoreRules): void {
  replaceFile(path, `${JSON.stringify({ patterns })}\n`);
}

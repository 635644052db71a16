import { readFileSync } from "node:fs";
import { join } from "node:path";

import { isId, IzoError, type FilesetId } from "@izo/core";
import { replaceFile } from "@izo/sys";
import { z } from "zod";

/** What a cache is a cache of. */
export interface CacheIdentity {
  readonly fileset: FilesetId;
  /** Of the fileset, as it was mounted: `http://host:8370/rootfset`. Information; the id decides. */
  readonly url: string;
}

/** The cache was made for another fileset: its own records must never go there. */
export class ForeignCacheError extends IzoError {
  constructor(cacheDir: string, found: CacheIdentity, expected: CacheIdentity) {
    super(
      "foreign-cache",
      `Cannot use the cache "${cacheDir}" for ${expected.url}: it is of the fileset ${found.fileset} (${found.url}), not ${expected.fileset}`,
      { cacheDir, found: found.fileset, expected: expected.fileset },
    );
  }
}

/** The cache's `config.json` is not what this version writes. */
export class InvalidCacheError extends IzoError {
  constructor(path: string, reason: string) {
    super("invalid-cache", `Cannot read "${path}": ${reason}`, { path, reason });
  }
}

const VERSION = 1;

const config = z.object({
  version: z.literal(VERSION),
  fileset: z.custom<FilesetId>((value) => typeof value === "string" && isId(value)),
  url: z.string(),
});

/** What a cache says that it is of; undefined for a new one. @throws InvalidCacheError */
export function readCacheIdentity(cacheDir: string): CacheIdentity | undefined {
  const path = join(cacheDir, "config.json");
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InvalidCacheError(path, "it is no JSON");
  }
  const parsed = config.safeParse(value);
  if (!parsed.success) throw new InvalidCacheError(path, z.prettifyError(parsed.error));
  return { fileset: parsed.data.fileset, url: parsed.data.url };
}

/**
 * Makes a new cache one of a fileset, and checks an old one. The same fileset under another URL is the
 * same: a server may move.
 *
 * @throws ForeignCacheError, InvalidCacheError
 */
export function claimCache(cacheDir: string, identity: CacheIdentity): void {
  const found = readCacheIdentity(cacheDir);
  if (found !== undefined && found.fileset !== identity.fileset)
    throw new ForeignCacheError(cacheDir, found, identity);
  if (found?.url === identity.url) return;
  const text = `${JSON.stringify({ version: VERSION, ...identity }, null, 2)}\n`;
  replaceFile(join(cacheDir, "config.json"), text);
}

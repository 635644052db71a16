import type { HttpRemote } from "@izo/client";
import { EMPTY_SHA256, type Sha256 } from "@izo/core";

import { linesOf } from "../conflicts/read-sides.ts";
import { unifiedDiff } from "../conflicts/unified-diff.ts";
import { formatBytes } from "../output/quantity.ts";

/** Longer ones are shown by size and hash: nobody reads such a diff. */
const MAX_SHOWN_BYTES = 1024 * 1024;

/** A content by its hash and size. */
export interface NamedContent {
  readonly sha256: Sha256;
  readonly sizeBytes: number;
}

/** Codes by which a server says that it has a content no more. */
const GONE: ReadonlySet<unknown> = new Set(["content-superseded", "unknown-content"]);

/**
 * What differs between two contents, as lines: a unified diff of texts, a sentence where one is long, no
 * text, or not kept any more. Null stands for no file.
 */
export async function diffContents(
  remote: HttpRemote,
  before: NamedContent | null,
  after: NamedContent | null,
  signal: AbortSignal,
): Promise<string[]> {
  const sides = [];
  for (const side of [before, after]) {
    // oxlint-disable-next-line no-await-in-loop -- two of them
    const lines = await readLines(remote, side, signal);
    if (typeof lines === "string") return [lines];
    sides.push(lines);
  }
  return unifiedDiff(sides[0]!, sides[1]!);
}

async function readLines(
  remote: HttpRemote,
  content: NamedContent | null,
  signal: AbortSignal,
): Promise<string[] | string> {
  if (content === null || content.sha256 === EMPTY_SHA256) return [];
  const { sha256, sizeBytes } = content;
  const named = `${sha256.slice(0, 12)}, ${formatBytes(sizeBytes)}`;
  if (sizeBytes > MAX_SHOWN_BYTES) return `a content too long to be shown (${named})`;
  try {
    const { bytes } = await remote.fetchContent(sha256, {}, signal);
    const chunks: Uint8Array[] = [];
    for await (const chunk of bytes) chunks.push(chunk);
    return linesOf(Buffer.concat(chunks)) ?? `a content that is no text (${named})`;
  } catch (error) {
    if (error instanceof Error && "code" in error && GONE.has(error.code)) {
      return `a content that the server does not keep any more (${named})`;
    }
    throw error;
  }
}

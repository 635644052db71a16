import { createHash } from "node:crypto";
import { open, rm } from "node:fs/promises";

import { IzoError, type Sha256 } from "@izo/core";

import type { ContentSource } from "./content-source.ts";

/** The server, asked past all caches, gave other bytes than those of the hash. */
export class WrongContentError extends IzoError {
  constructor(sha256: Sha256, received: string) {
    super(
      "wrong-hash",
      `Cannot use content ${sha256}: the bytes received have the hash ${received}`,
      {
        sha256,
        received,
      },
    );
  }
}

/**
 * Fetches a content into a new file and checks its hash. A wrong one is asked for once more, past all
 * caches in between, because those are the likeliest to be wrong (design C4). Of a content of another
 * size nothing is taken: whoever sends it could go on until the disk is full.
 *
 * @param sizeBytes as the log says
 *
 * @throws WrongContentError, what the source throws, the disk's errors; the file is then gone
 */
export async function download(
  source: ContentSource,
  sha256: Sha256,
  path: string,
  signal: AbortSignal,
  sizeBytes: number,
): Promise<void> {
  const content = { source, sha256, path, signal, sizeBytes };
  try {
    const first = await receive(content, false);
    if (first === sha256) return;
    const second = await receive(content, true);
    if (second !== sha256) throw new WrongContentError(sha256, second);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

interface WantedContent {
  readonly source: ContentSource;
  readonly sha256: Sha256;
  readonly path: string;
  readonly signal: AbortSignal;
  readonly sizeBytes: number;
}

/** @returns the hash of what was received, or what it is that has none */
async function receive(
  { source, sha256, path, signal, sizeBytes }: WantedContent,
  bypassCaches: boolean,
): Promise<string> {
  const content = await source.fetchContent(sha256, { bypassCaches }, signal);
  const hash = createHash("sha256");
  let received = 0;
  await using file = await open(path, "w", 0o600);
  for await (const chunk of content.bytes) {
    received += chunk.length;
    if (content.sizeBytes !== sizeBytes || received > sizeBytes) {
      return `of more or less than ${sizeBytes} bytes`;
    }
    hash.update(chunk);
    await file.writeFile(chunk);
  }
  // Not synced: what a power cut takes is found and fetched again (docs/decisions/0007).
  return hash.digest("hex");
}

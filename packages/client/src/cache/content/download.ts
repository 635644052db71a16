import { createHash, hash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { open, rm } from "node:fs/promises";

import { IzoError, MAX_INLINE_BYTES, type Sha256 } from "@izo/core";

import type { RemoteContent } from "../../sync/remote.ts";
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
  const wrongSize = `of more or less than ${sizeBytes} bytes`;
  if (sizeBytes <= MAX_INLINE_BYTES) {
    const bytes = await readWhole(content, sizeBytes);
    if (bytes === null) return wrongSize;
    // A thread for each call takes longer than all of them, and somebody waits.
    writeFileSync(path, bytes, { mode: 0o600 });
    return hash("sha256", bytes);
  }
  const digest = createHash("sha256");
  let received = 0;
  await using file = await open(path, "w", 0o600);
  for await (const chunk of content.bytes) {
    received += chunk.length;
    if (content.sizeBytes !== sizeBytes || received > sizeBytes) {
      return wrongSize;
    }
    digest.update(chunk);
    await file.writeFile(chunk);
  }
  // Not synced: what a power cut takes is found and fetched again (docs/decisions/0007).
  return digest.digest("hex");
}

/** Null where it is not as long as it should be. */
async function readWhole(content: RemoteContent, sizeBytes: number): Promise<Buffer | null> {
  const chunks: Uint8Array[] = [];
  let received = 0;
  for await (const chunk of content.bytes) {
    received += chunk.length;
    if (content.sizeBytes !== sizeBytes || received > sizeBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

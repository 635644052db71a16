import { EMPTY_SHA256, type Sha256 } from "@izo/core";

import { ContentChangedError } from "../export/errors.ts";
import type { Export } from "../export/export.ts";

/** A content as text; null for one that is long, no text, not kept, or being changed right now. */
export async function readText(
  fileset: Export,
  sha256: Sha256 | null,
  maxBytes: number,
): Promise<string | null> {
  if (sha256 === null) return null;
  if (sha256 === EMPTY_SHA256) return "";
  const found = await fileset.openContent(sha256);
  if (found?.kind !== "open") return null;
  await using content = found;
  if (content.sizeBytes > maxBytes) return null;
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of content.read()) chunks.push(Uint8Array.from(chunk));
  } catch (error) {
    if (error instanceof ContentChangedError) return null;
    throw error;
  }
  return textOf(Buffer.concat(chunks));
}

function textOf(bytes: Buffer): string | null {
  if (bytes.includes(0)) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}

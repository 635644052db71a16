import { readFileSync } from "node:fs";

import type { HttpRemote } from "@izo/client";
import type { ConflictRecord, ConflictReport, ConflictSide, Sha256 } from "@izo/core";

import { openRemoteOf } from "../commands/connection-options.ts";
import { fileAt } from "./fileset-file.ts";
import type { LocatedConflict } from "./locate-conflict.ts";

/** Longer files are shown by size and hash: nobody reads such a diff. */
const MAX_TEXT_BYTES = 1024 * 1024;

/** The content from which both sides started, or why it cannot be had. */
export type Ancestor =
  | { readonly kind: "content"; readonly sha256: Sha256; readonly bytes: Buffer }
  /** Both sides made the file. */
  | { readonly kind: "none" }
  /** The server kept it for a time, and keeps it no more. */
  | { readonly kind: "expired"; readonly sha256: Sha256 | null }
  /** The server does not answer. */
  | { readonly kind: "unreachable"; readonly reason: string };

/** What the server adds to a conflict that a mount knows. */
export interface ServerKnowledge {
  readonly record: ConflictRecord | null;
  readonly ancestor: Ancestor;
}

/** Asks the server of a mount for the ancestor of a conflict and the record that made the copy. */
export async function askServer(
  { mount, conflict }: LocatedConflict,
  signal: AbortSignal,
): Promise<ServerKnowledge> {
  await using remote = openRemoteOf(mount.note);
  try {
    const reports = await remote.conflicts(signal);
    const report = reports.find(({ copy }) => copy.oid === conflict.copy.oid);
    return {
      record: report?.record ?? null,
      ancestor: await fetchAncestor(remote, report, conflict.base === 0, signal),
    };
  } catch (error) {
    if (!(error instanceof Error) || signal.aborted) throw error;
    return { record: null, ancestor: { kind: "unreachable", reason: error.message } };
  }
}

async function fetchAncestor(
  remote: HttpRemote,
  report: ConflictReport | undefined,
  hasNone: boolean,
  signal: AbortSignal,
): Promise<Ancestor> {
  if (hasNone) return { kind: "none" };
  const known = report?.ancestor ?? null;
  if (known === null || !known.isKept) return { kind: "expired", sha256: known?.sha256 ?? null };
  const { bytes } = await remote.fetchContent(known.sha256, {}, signal);
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return { kind: "content", sha256: known.sha256, bytes: Buffer.concat(chunks) };
}

/** The lines of a side that can be shown as text; undefined for what is long, binary or no file. */
export function readText(mountPoint: string, side: ConflictSide | null): string[] | undefined {
  if (side === null || side.kind !== "file" || side.sizeBytes > MAX_TEXT_BYTES) return undefined;
  return linesOf(readFileSync(fileAt(mountPoint, side.path)));
}

/** The lines of a content, or undefined where it is no text. */
export function linesOf(bytes: Buffer): string[] | undefined {
  if (bytes.length > MAX_TEXT_BYTES || bytes.includes(0)) return undefined;
  const text = bytes.toString("utf8");
  if (text.includes("\ufffd")) return undefined;
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

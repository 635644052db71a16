import { HEADERS } from "./protocol.ts";

/** How much of a content a server holds. */
export interface UploadProgress {
  readonly offsetBytes: number;
  /** The server needs nothing more of it. */
  readonly isComplete: boolean;
}

/** What a PUT brings: the bytes from `offsetBytes` on, of `totalBytes`. */
export interface UploadRange {
  readonly offsetBytes: number;
  readonly totalBytes: number;
}

export function writeUploadProgress(progress: UploadProgress): Record<string, string> {
  return {
    [HEADERS.uploadOffset]: String(progress.offsetBytes),
    [HEADERS.uploadComplete]: progress.isComplete ? "?1" : "?0",
  };
}

/** Reads the answer to a HEAD or a PUT of a content; null where it says nothing of an upload. */
export function parseUploadProgress(
  header: (name: string) => string | null,
): UploadProgress | null {
  const offsetBytes = parseSize(header(HEADERS.uploadOffset));
  const isComplete = header(HEADERS.uploadComplete);
  if (offsetBytes === null || (isComplete !== "?0" && isComplete !== "?1")) return null;
  return { offsetBytes, isComplete: isComplete === "?1" };
}

export function writeUploadRange({ offsetBytes, totalBytes }: UploadRange): Record<string, string> {
  return {
    [HEADERS.uploadOffset]: String(offsetBytes),
    [HEADERS.uploadLength]: String(totalBytes),
  };
}

/**
 * Reads the headers of a PUT. A plain one, as of `curl -T`, starts at 0 and is as long as its body;
 * null where the size of the whole cannot be known.
 */
export function parseUploadRange(header: (name: string) => string | null): UploadRange | null {
  const offset = header(HEADERS.uploadOffset);
  const offsetBytes = offset === null ? 0 : parseSize(offset);
  const total = header(HEADERS.uploadLength);
  if (offsetBytes === null) return null;
  if (total !== null) {
    const totalBytes = parseSize(total);
    return totalBytes === null ? null : { offsetBytes, totalBytes };
  }
  const bodyBytes = parseSize(header("Content-Length"));
  return bodyBytes === null ? null : { offsetBytes, totalBytes: offsetBytes + bodyBytes };
}

function parseSize(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

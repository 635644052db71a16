/** What a response says before its body (RFC 9112, section 4 and 5). */
export interface ResponseHead {
  readonly status: number;
  readonly header: (name: string) => string | null;
  /** Where the body begins in the bytes that were read. */
  readonly bodyAt: number;
}

const END = "\r\n\r\n";
const STATUS_LINE = /^HTTP\/1\.1 ([2-5]\d\d)(?: .*)?$/;
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/;

/**
 * Reads the head of a response whose body is its `Content-Length` bytes as they come.
 *
 * @returns undefined while it is not all there; null for everything else: another version, a coding, two headers of one
 *   name, bad syntax. What is asked again in the ordinary way is read by a parser that knows all of it.
 */
export function parseResponseHead(bytes: Buffer): ResponseHead | null | undefined {
  const end = bytes.indexOf(END);
  if (end < 0) return undefined;
  const [first = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const status = STATUS_LINE.exec(first)?.[1];
  if (status === undefined) return null;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = FIELD.exec(line) ?? [];
    if (name === undefined || value === undefined) return null;
    const key = name.toLowerCase();
    if (headers.has(key)) return null;
    headers.set(key, value);
  }
  if (headers.has("transfer-encoding") || headers.has("content-encoding")) return null;
  if (!/^\d{1,15}$/.test(headers.get("content-length") ?? "")) return null;
  return {
    status: Number(status),
    header: (name) => headers.get(name.toLowerCase()) ?? null,
    bodyAt: end + END.length,
  };
}

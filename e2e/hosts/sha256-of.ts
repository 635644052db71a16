import { hash } from "node:crypto";

/** SHA-256 of a text as 64 digits, to look a content up in a log. */
export function sha256Of(text: string | Uint8Array): string {
  return hash("sha256", text);
}

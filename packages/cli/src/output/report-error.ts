import { withoutTokens } from "@izo/core";

import { hintFor } from "./hint.ts";
import { toJson } from "./json.ts";
import type { OutputStream } from "./output.ts";
import { harmlessOn } from "./printable.ts";

/**
 * Says why a command ended: "error: Cannot …" and a line on what to do. With `--json` one object,
 * `{"error":{"code":…,"message":…,"hint":…}}`, also on standard error: standard output holds results only.
 */
export function reportError(error: unknown, isJson: boolean, stderr: OutputStream): void {
  const message = messageOf(error);
  const hint = hintFor(error);
  if (isJson) {
    const code = error instanceof Error && "code" in error ? error.code : "unexpected";
    stderr.write(`${toJson({ error: { code, message, hint } })}\n`);
    return;
  }
  stderr.write(`error: ${harmlessOn(stderr, message)}\n`);
  if (hint !== undefined) stderr.write(`  hint: ${hint}\n`);
  // An error without a code is a fault in izo itself: only its stack says where.
  if (error instanceof Error && !("code" in error)) stderr.write(`${error.stack ?? ""}\n`);
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return withoutTokens(String(error));
  // What Node and the kernel say starts with the errno; ours starts with "Cannot". A token that somebody
  // has given in the wrong place must not end in the log of what ran the command.
  return withoutTokens(error.message === "" ? error.name : error.message);
}

import { MEDIA_TYPES } from "@izo/core";

import type { AppContext } from "./app-environment.ts";

/** Answers with a JSON text of what holds now and may not hold a moment later. */
export function jsonResponse(c: AppContext, text: string): Response {
  return c.body(text, 200, {
    "Content-Type": MEDIA_TYPES.json,
    "Cache-Control": "no-store",
  });
}

import { EXPOSITION_TYPE } from "@izo/core";

import type { AppContext } from "./app-environment.ts";

export function getMetrics(c: AppContext): Response {
  return c.body(c.var.metrics.write(c.var.filesets), 200, {
    "Content-Type": EXPOSITION_TYPE,
    "Cache-Control": "no-store",
  });
}

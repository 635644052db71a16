import type { AppContext } from "./app-environment.ts";

export function getMetrics(c: AppContext): Response {
  return c.body(c.var.metrics.write(c.var.filesets), 200, {
    "Content-Type": "text/plain; version=0.0.4; charset=utf-8",
    "Cache-Control": "no-store",
  });
}

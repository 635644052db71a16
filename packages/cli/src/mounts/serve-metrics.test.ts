import { expect, test } from "vitest";

import { UsageError } from "../usage-error.ts";
import { parseMetricsAddress, serveMetrics } from "./serve-metrics.ts";

test("serveMetrics() answers with what the mount tells, and with nothing else", async () => {
  await using server = await serveMetrics("127.0.0.1:0", { metrics: () => "izo_mount_recno 41\n" });
  const answer = await fetch(server.url);
  expect(await answer.text()).toBe("izo_mount_recno 41\n");
  expect(answer.headers.get("Content-Type")).toContain("version=0.0.4");
  expect((await fetch(new URL("/", server.url))).status).toBe(404);
});

test("serveMetrics() says so when the mount fails", async () => {
  await using server = await serveMetrics("127.0.0.1:0", {
    metrics: () => Promise.reject(new Error("closed")),
  });
  expect((await fetch(server.url)).status).toBe(500);
});

test.each(["0.0.0.0:9100", "192.0.2.1:9100", "[::]:9100", "nas:9100", "9100x"])(
  "parseMetricsAddress() refuses %s",
  (address) => {
    expect(() => parseMetricsAddress(address)).toThrow(UsageError);
  },
);

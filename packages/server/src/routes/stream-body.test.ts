import { setImmediate } from "node:timers/promises";

import { pino } from "pino";
import { expect, test } from "vitest";

import { openTestApp } from "../testing/test-app.ts";
import { createApp } from "./app.ts";

test("a reader of a feed who leaves while it waits is no failure, and nobody is warned of him", async () => {
  await using t = await openTestApp();
  const lines: string[] = [];
  const logger = pino({ level: "warn" }, { write: (line: string) => void lines.push(line) });
  const app = createApp({ filesets: [t.fileset], logger });
  const response = await app.request("/v1/filesets/rootfset/events");
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  let text = "";
  while (!text.includes("event: head")) text += decoder.decode((await reader.read()).value);
  // The next part waits for the log to grow.
  const waiting = reader.read();
  await setImmediate();
  await reader.cancel();
  await waiting;
  await setImmediate();
  expect(lines).toEqual([]);
});

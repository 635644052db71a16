import { setTimeout as delay } from "node:timers/promises";

import { expect, test } from "vitest";

import { hintFor } from "./output/hint.ts";
import { withTimeout } from "./with-timeout.ts";

const { signal } = new AbortController();
const forEver = (either: AbortSignal): Promise<never> =>
  delay(60_000, undefined as never, { signal: either });

test("withTimeout() says what was waited for, and what there is to know of it", async () => {
  const ended = withTimeout("flush", 0.01, signal, forEver, async () => "3 changes wait");
  const error = await ended.catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "timed-out", message: "Cannot flush within 0.01 s" });
  expect(hintFor(error)).toBe("3 changes wait");
});

const fail = (): Promise<never> => Promise.reject(new Error("the server is gone"));
const ask = (): Promise<string> => Promise.reject(new Error("nobody asks"));

test("withTimeout() gives the failure of the work, and asks for no hint then", async () => {
  await expect(withTimeout("flush", 10, signal, fail, ask)).rejects.toThrow("the server is gone");
});

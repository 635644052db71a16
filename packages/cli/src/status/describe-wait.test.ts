import type { PushWait } from "@izo/client";
import { expect, test } from "vitest";

import { describeWait } from "./describe-wait.ts";

const NOW_MS = 1_000_000;

const WAIT: PushWait = {
  reason: "written",
  opcode: "CLOSE",
  path: "/a",
  sinceMs: NOW_MS - 300_000,
  message: null,
  retryAtMs: null,
};

test.each<{ wait: Partial<PushWait>; line: string }>([
  { wait: {}, line: `CLOSE of "/a", made 5 min ago: a program has it open and writes to it` },
  {
    wait: {
      reason: "push-failed",
      message: "Cannot take the push: no room",
      retryAtMs: NOW_MS + 4000,
    },
    line: `CLOSE of "/a", made 5 min ago: it could not be sent (Cannot take the push: no room); tried again in 4 s`,
  },
])("describeWait() says: $line", ({ wait, line }) => {
  expect(describeWait({ ...WAIT, ...wait }, NOW_MS)).toBe(line);
});

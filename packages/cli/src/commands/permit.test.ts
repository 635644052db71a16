import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { MountPermit } from "@izo/client";
import { type Epoch, type PeerId, ROOT_OID } from "@izo/core";
import { type RunningServer, serve } from "@izo/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { EXIT } from "../output/exit-code.ts";
import { izoIn } from "../testing/izo-in.ts";
import { describePermits } from "./permit.ts";

let directory: string;
let server: RunningServer;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "izo-permit-"));
  server = await serve({ directory, host: "127.0.0.1", port: 0 });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

const izo = (...args: readonly string[]) => izoIn(directory, args);

describe("izo permit URL", () => {
  test("lists who holds what", async () => {
    expect((await izo("permit", server.url)).stdout).toBe("no permit is held\n");
    const peer = "3f2a".padEnd(32, "0") as PeerId;
    const asker = { action: "take", peer, host: "laptop", oid: ROOT_OID, waitSeconds: 0 } as const;
    await server.fileset.permit(asker, new AbortController().signal);
    expect((await izo("permit", server.url)).stdout).toMatch(/^\/ +laptop +3f2a0000 +60 s$/m);
    const { permits } = JSON.parse((await izo("permit", server.url, "--json")).stdout) as {
      permits: unknown[];
    };
    expect(permits).toMatchObject([{ path: "/", host: "laptop", wantedBy: null }]);
  });

  test("takes nothing: that is for a mount", async () => {
    const { status, stderr } = await izo("permit", server.url, "take");
    expect([status, stderr]).toEqual([EXIT.usage, expect.stringContaining("a mount to take")]);
  });
});

test.each([
  { description: "a term below a second", args: ["serve", ".", "--permit-term", "0.5"] },
  { description: "an unknown mode", args: ["mount", "http://h/f", ".", "--permit", "always"] },
])("izo refuses $description", async ({ args }) => {
  expect(await izo(...args)).toMatchObject({ status: EXIT.usage });
});

describe("describePermits()", () => {
  const held: MountPermit = {
    path: "/docs",
    oid: ROOT_OID,
    state: "held",
    epoch: 1 as Epoch,
    leftMs: 41_400,
    problem: null,
  };
  const problem = { code: "permit-held", message: "nas holds it", advice: "", sinceMs: 0 };

  test.each([
    { mode: "none", permits: [], text: "not required" },
    { mode: "required", permits: [], text: "required: read-only, none is held" },
    { mode: "required", permits: [held], text: "required: /docs held for 41 s" },
    {
      mode: "take-over",
      permits: [{ ...held, state: "asking", problem }],
      text: "take-over: /docs asking (nas holds it)",
    },
  ] as const)("says of $mode: $text", ({ text, ...permit }) => {
    expect(describePermits(permit)).toBe(text);
  });
});

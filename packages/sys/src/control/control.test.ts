import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { callControl, ControlSilentError } from "./call-control.ts";
import { CONTROL_SOCKET } from "./control-socket.ts";
import { serveControl } from "./serve-control.ts";

let parent = "";
/** A name that alone is longer than a socket's address may be. */
let directory = "";

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "izo-control-"));
  directory = join(parent, "d".repeat(200));
  mkdirSync(directory);
});

afterEach(() => {
  rmSync(parent, { recursive: true });
});

test("callControl() gets what the handler returns, through a path longer than a socket's address", async () => {
  await using _ = await serveControl(directory, {
    "POST /echo": ({ url, body }) => ({ said: url.searchParams.get("word"), body }),
  });
  const call = { method: "POST", path: "/echo?word=hello" } as const;
  const answer = await callControl(directory, { ...call, body: { to: ["all"] } });
  expect(answer).toEqual({ isDone: true, value: { said: "hello", body: { to: ["all"] } } });
  expect(await callControl(directory, call)).toEqual({ isDone: true, value: { said: "hello" } });
});

test("callControl() gets the code and the text of what a handler throws", async () => {
  await using _ = await serveControl(directory, {
    "POST /fail": () => {
      throw Object.assign(new Error("Cannot do it: the disk is away"), { code: "ENODEV" });
    },
  });
  const answer = await callControl(directory, { method: "POST", path: "/fail" });
  expect(answer).toEqual({
    isDone: false,
    code: "ENODEV",
    message: "Cannot do it: the disk is away",
  });
});

test.each(["/unknown", "/toString"])(
  "serveControl() refuses what it does not know: %s",
  async (path) => {
    await using _ = await serveControl(directory, {});
    expect(await callControl(directory, { method: "GET", path })).toMatchObject({
      isDone: false,
      code: "control-failed",
    });
  },
);

test("serveControl() lets only the owner call, and leaves nothing behind", async () => {
  {
    await using _ = await serveControl(directory, {});
    expect(statSync(join(directory, CONTROL_SOCKET)).mode & 0o777).toBe(0o600);
  }
  expect(statSync(join(directory, CONTROL_SOCKET), { throwIfNoEntry: false })).toBeUndefined();
});

test("callControl() says that nobody answers: no directory, no socket, or one left behind", async () => {
  const call = () => callControl(directory, { method: "GET", path: "/" });
  await expect(callControl(join(parent, "none"), { method: "GET", path: "/" })).rejects.toThrow(
    ControlSilentError,
  );
  await expect(call()).rejects.toThrow(ControlSilentError);
  writeFileSync(join(directory, CONTROL_SOCKET), "");
  await expect(call()).rejects.toThrow(ControlSilentError);
});

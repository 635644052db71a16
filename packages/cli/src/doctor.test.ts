import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { serve } from "@izo/server";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { checkMachine, type Machine } from "./doctor/check-machine.ts";
import type { Finding } from "./doctor/finding.ts";
import { EXIT } from "./output/exit-code.ts";
import { run } from "./run.ts";
import { izoIn } from "./testing/izo-in.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "izo-doctor-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

const SOUND: Machine = {
  nodeVersion: "24.1.0",
  kernel: "6.18.2-amd64",
  isRoot: true,
  searchPath: "/usr/bin:/bin",
  read: (path) =>
    path.endsWith("max_user_watches")
      ? "1048576\n"
      : "Max open files            65536   65536  files\n",
  isUsable: () => true,
  exists: () => true,
};

describe("checkMachine()", () => {
  test("finds nothing to do on a sound machine", () => {
    expect(checkMachine(SOUND).filter(({ advice }) => advice !== null)).toEqual([]);
  });

  test.each<{ machine: Partial<Machine>; check: string; verdict: string; advice: string }>([
    {
      machine: { nodeVersion: "20.1.0" },
      check: "versions",
      verdict: "failure",
      advice: "Node 24",
    },
    {
      machine: { exists: (path) => path !== "/dev/fuse" },
      check: "fuse",
      verdict: "failure",
      advice: "modprobe fuse",
    },
    { machine: { isUsable: () => false }, check: "fuse", verdict: "failure", advice: "as root" },
    {
      machine: { exists: (path) => !path.endsWith("fusermount3") },
      check: "fusermount3",
      verdict: "warning",
      advice: "apt-get install -y fuse3",
    },
    {
      machine: { isRoot: false },
      check: "fusermount3",
      verdict: "warning",
      advice: "user_allow_other",
    },
    { machine: { kernel: "6.1.0-13" }, check: "passthrough", verdict: "warning", advice: "newer" },
    { machine: { isRoot: false }, check: "passthrough", verdict: "warning", advice: "as root" },
    {
      machine: { read: () => "8192\n" },
      check: "inotify",
      verdict: "warning",
      advice: "max_user_watches=1048576",
    },
    {
      machine: { read: () => "Max open files            1024   65536  files\n" },
      check: "descriptors",
      verdict: "warning",
      advice: "ulimit -n",
    },
  ])(
    "says $verdict about $check, and what to do: $advice",
    ({ machine, check, verdict, advice }) => {
      const finding = checkMachine({ ...SOUND, ...machine }).find((one) => one.check === check);
      expect(finding).toMatchObject({ verdict, advice: expect.stringContaining(advice) });
    },
  );
});

const findingsOf = (stdout: string): Finding[] =>
  (JSON.parse(stdout) as { findings: Finding[] }).findings;

test("izo doctor URL says how the server is, and how far its clock is", async () => {
  await using server = await serve({ directory, host: "127.0.0.1", port: 0 });
  const { stdout } = await izoIn(directory, ["doctor", server.url, "--json"]);
  const findings = findingsOf(stdout);
  for (const check of ["server", "clock", "fileset"]) {
    expect(findings).toContainEqual(expect.objectContaining({ check, verdict: "ok" }));
  }
  const own = await izoIn(directory, ["doctor", directory, "--json"]);
  for (const check of ["file system", "serving"]) {
    expect(findingsOf(own.stdout)).toContainEqual(
      expect.objectContaining({ check, verdict: "ok" }),
    );
  }
});

test.each([
  { isReadOnly: false, says: /changes +everything may be changed/ },
  { isReadOnly: true, says: /changes +none are taken/ },
])("izo doctor URL says what may be changed there: $says", async ({ isReadOnly, says }) => {
  await using server = await serve({ directory, host: "127.0.0.1", port: 0, isReadOnly });
  expect((await izoIn(directory, ["doctor", server.url])).stdout).toMatch(says);
});

test("izo doctor fails where nobody answers, and says what to do", async () => {
  const { status, stdout, stderr } = await izoIn(directory, ["doctor", "http://127.0.0.1:1/x"]);
  expect(status).toBe(EXIT.failed);
  expect(stdout).toMatch(/^Something will not work\n/);
  expect(stdout).toMatch(/FAIL +server +Cannot reach.*\n.*→ is the server running/);
  expect(stderr).toContain("Cannot call this well");
});

test("izo doctor --bundle holds no token, and is for its owner's eyes", async () => {
  const token = `izo_0123abcd_${"x".repeat(43)}`;
  const secretFile = join(directory, "token");
  writeFileSync(secretFile, token);
  const bundle = join(directory, "bundle.json");
  let stdout = "";
  const args = ["doctor", "http://127.0.0.1:1/x", "--token-file", secretFile, "--bundle", bundle];
  await run(args, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: () => {} },
    env: { HOME: directory, IZO_TOKEN: token },
    cwd: directory,
    signal: new AbortController().signal,
  });
  expect(stdout).toContain("look at it before you send it");
  const text = readFileSync(bundle, "utf8");
  expect(text).not.toContain("x".repeat(20));
  expect(JSON.parse(text)).toMatchObject({
    environment: ["IZO_TOKEN"],
    findings: expect.arrayContaining([expect.objectContaining({ check: "server" })]),
  });
  expect(statSync(bundle).mode & 0o777).toBe(0o600);
  // Nothing is written over.
  const again = await izoIn(directory, ["doctor", "--bundle", bundle]);
  expect(again.stderr).toContain("EEXIST");
});

import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  type CreateOperation,
  type FilesetId,
  type KmlRecord,
  NO_CHECK,
  type Name,
  type Oid,
  openKmlLog,
  type PeerId,
  type Recno,
  type RenameOperation,
  ROOT_OID,
} from "@izo/core";
import { nodeDisk } from "@izo/sys";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { EXIT } from "./output/exit-code.ts";
import { run } from "./run.ts";

let directory = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "izo-cli-"));
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** Runs a command line in this process. */
async function izo(args: readonly string[], signal = new AbortController().signal) {
  let stdout = "";
  let stderr = "";
  const status = await run(args, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    env: { HOME: directory },
    cwd: directory,
    signal,
  });
  return { status, stdout, stderr };
}

const PEER = "a".repeat(32) as PeerId;
const FILESET = "f".repeat(32) as FilesetId;

function record(recno: number, operation: CreateOperation | RenameOperation): KmlRecord {
  return {
    recno: recno as Recno,
    authorTimeNs: 1_700_000_000_123_456_789n,
    logTimeNs: 1_700_000_000_123_456_789n,
    origin: { peer: PEER, recno: recno as Recno, check: NO_CHECK },
    actor: { uid: 0, gid: 0, groups: [], command: "test" },
    operation,
  };
}

function create(name: string): CreateOperation {
  const oid = name.charCodeAt(0).toString(16).padStart(32, "0") as Oid;
  return {
    opcode: "CREATE",
    oid,
    parent: ROOT_OID,
    name: name as Name,
    path: `/${name}`,
    conflict: null,
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtimeNs: 0n,
  };
}

/** A log with three records: a and b are made, a becomes c. */
async function makeLog(): Promise<string> {
  const dir = join(directory, "kml");
  await using log = await openKmlLog({ disk: nodeDisk, dir, fileset: FILESET, peer: PEER });
  const { oid } = create("a");
  log.append([
    record(1, create("a")),
    record(2, create("b")),
    record(3, {
      opcode: "RENAME",
      oid,
      contentBase: 1 as Recno,
      fromParent: ROOT_OID,
      fromName: "a" as Name,
      fromPath: "/a",
      fromBase: 1 as Recno,
      toParent: ROOT_OID,
      toName: "c" as Name,
      toPath: "/c",
      victim: null,
      keepsOid: false,
      conflict: null,
    }),
  ]);
  await log.sync();
  return dir;
}

describe("run()", () => {
  test.each([
    { args: ["--help"], expected: "Usage: izo" },
    { args: ["serve", "--help"], expected: "Examples:" },
    { args: ["mount", "--help"], expected: "Examples:" },
    { args: ["umount", "--help"], expected: "Examples:" },
    { args: ["status", "--help"], expected: "Examples:" },
    { args: ["flush", "--help"], expected: "Examples:" },
    { args: ["wait", "--help"], expected: "Example" },
    { args: ["conflicts", "--help"], expected: "Examples:" },
    { args: ["conflicts", "show", "--help"], expected: "Examples:" },
    { args: ["conflicts", "refused", "--help"], expected: "Example:" },
    { args: ["conflicts", "resolve", "--help"], expected: "Examples:" },
    { args: ["held", "--help"], expected: "Examples:" },
    { args: ["held", "confirm", "--help"], expected: "Example:" },
    { args: ["held", "drop", "--help"], expected: "Example:" },
    { args: ["log", "--help"], expected: "Examples:" },
    { args: ["kml", "dump", "--help"], expected: "Examples:" },
    { args: ["demo", "--help"], expected: "Examples:" },
    { args: ["version", "--help"], expected: "Example" },
  ])("prints the help of $args", async ({ args, expected }) => {
    const { status, stdout, stderr } = await izo(args);
    expect(status).toBe(EXIT.ok);
    expect(stdout).toContain(expected);
    expect(stderr).toBe("");
  });

  test.each([
    { args: ["frobnicate"], reason: "unknown command 'frobnicate'" },
    { args: ["serve"], reason: "missing required argument 'dir'" },
    {
      args: ["mount", "http://a/b", "m", "--mode", "fast"],
      reason: "Allowed choices are on-demand, replica",
    },
    { args: ["mount", "nas:8370/rootfset", "m"], reason: "it is no http or https URL" },
    { args: ["wait", "m"], reason: "required option '--recno <n>' not specified" },
    { args: ["wait", "m", "--recno", "-1"], reason: "A record number is a whole number" },
    { args: ["serve", ".", "--listen", "nowhere"], reason: "it is no address" },
    { args: ["conflicts", "resolve", "m"], reason: "exactly one way has to be chosen" },
    { args: ["conflicts", "resolve", "m", "--ours", "--both"], reason: "exactly one way" },
    { args: ["conflicts", "resolve", "m", "--merge", "cat %B"], reason: "does not name %A" },
    { args: ["flush", "m", "--timeout", "soon"], reason: "A time is a number of seconds" },
  ])("refuses $args with status 2 and a hint", async ({ args, reason }) => {
    const { status, stdout, stderr } = await izo(args);
    expect(stderr).toContain(reason);
    expect(stderr).toMatch(/^error: Cannot .+[^.]\n {2}hint: .+\n$/);
    expect(stdout).toBe("");
    expect(status).toBe(EXIT.usage);
  });

  test("reports errors as one JSON object with --json", async () => {
    const { status, stderr } = await izo(["status", join(directory, "none"), "--json"]);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: "not-mounted" } });
    expect(status).toBe(EXIT.unreachable);
  });

  test("refuses a broken configuration before it does anything", async () => {
    writeFileSync(join(directory, "izo.config.json"), '{"mount": {"speed": 1}}');
    const { status, stderr } = await izo(["version"]);
    expect(stderr).toContain("izo.config.json");
    expect(status).toBe(EXIT.usage);
  });

  test("izo version names what two machines must agree on", async () => {
    const { stdout } = await izo(["version", "--json"]);
    expect(JSON.parse(stdout)).toMatchObject({ protocol: 1, kml: 1, node: process.versions.node });
  });
});

describe("izo log DIRECTORY", () => {
  test("prints one line per record", async () => {
    const { status, stdout } = await izo(["log", await makeLog()]);
    expect(status).toBe(EXIT.ok);
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toHaveLength(3);
    expect(lines[2]).toMatch(
      /^ +3 {2}2023-11-14T22:13:20\.123Z {2}RENAME {6}\/a → \/c {2}\[aaaaaaaa 3\]$/,
    );
  });

  test("finds the log below the given directory, and filters by path", async () => {
    await makeLog();
    const { stdout } = await izo(["log", directory, "a", "--json"]);
    const recnos = stdout
      .trimEnd()
      .split("\n")
      .map((line) => (JSON.parse(line) as { recno: number }).recno);
    expect(recnos).toEqual([1, 3]);
  });

  test("--last and --after choose records", async () => {
    const dir = await makeLog();
    expect((await izo(["log", dir, "--last", "1"])).stdout.split("\n")).toHaveLength(2);
    expect((await izo(["log", dir, "--after", "1"])).stdout.split("\n")).toHaveLength(3);
  });

  test("-f goes on with records as they are appended, until Ctrl-C", async () => {
    const dir = await makeLog();
    const interruption = new AbortController();
    let stdout = "";
    const following = run(["log", dir, "-f"], {
      stdout: {
        write: (text) => {
          stdout += text;
          if (stdout.includes("/d")) interruption.abort();
        },
      },
      stderr: { write: () => {} },
      env: {},
      cwd: directory,
      signal: interruption.signal,
    });
    await using log = await openKmlLog({ disk: nodeDisk, dir, fileset: FILESET, peer: PEER });
    log.append([record(4, create("d"))]);
    await log.sync();
    expect(await following).toBe(EXIT.ok);
    expect(stdout.trimEnd().split("\n")).toHaveLength(4);
  });

  test("says that a directory holds no log", async () => {
    const { status, stderr } = await izo(["log", directory]);
    expect(status).toBe(EXIT.failed);
    expect(stderr).toContain("it holds no segment");
  });
});

describe("izo kml dump", () => {
  test("gives offsets and running hashes that chain", async () => {
    const { status, stdout } = await izo(["kml", "dump", await makeLog(), "--json"]);
    expect(status).toBe(EXIT.ok);
    const [segment, ...records] = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(segment).toMatchObject({
      kind: "segment",
      header: { fileset: FILESET, peer: PEER, first: 1 },
    });
    expect(records.map(({ offset }) => offset)).toEqual([
      128,
      128 + Number(records[0]?.["sizeBytes"]),
      128 + Number(records[0]?.["sizeBytes"]) + Number(records[1]?.["sizeBytes"]),
    ]);
    await using log = await openKmlLog({
      disk: nodeDisk,
      dir: join(directory, "kml"),
      fileset: FILESET,
      peer: PEER,
    });
    expect(records.at(-1)?.["position"]).toBe(`3/${log.head.hash}`);
  });

  test.each([
    { description: "a torn tail", damage: (file: string) => truncateSync(file, 400) },
    {
      description: "bytes that are no record",
      damage: (file: string) => appendFileSync(file, "x".repeat(200)),
    },
  ])(
    "prints what is intact before $description, then names segment and offset",
    async ({ damage }) => {
      const dir = await makeLog();
      const [segment = ""] = readdirSync(dir);
      damage(join(dir, segment));
      const { status, stdout, stderr } = await izo(["kml", "dump", join(dir, segment)]);
      expect(stdout.trimEnd().split("\n").length).toBeGreaterThan(1);
      expect(stderr).toContain(`Cannot read ${segment} at offset`);
      expect(status).toBe(EXIT.damaged);
    },
  );
});

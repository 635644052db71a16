import { readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type RunningServer, serve } from "@izo/server";
import { lgetxattr } from "@izo/sys";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { EXIT } from "../output/exit-code.ts";
import { izoIn } from "../testing/izo-in.ts";
import { RemotePeer } from "../testing/remote-peer.ts";

let directory: string;
let server: RunningServer;
let ann: RemotePeer;
let bob: RemotePeer;
/** Recnos behind which the tree was as the names say. */
const at = { start: 0, written: 0, moved: 0, end: 0 };

const head = (): number => server.fileset.headPosition.recno;
const izo = (...args: readonly string[]) => izoIn(directory, args);
const restored = (): string => join(directory, "restored");
const lines = (text: string): string[] => text.trimEnd().split("\n");

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "izo-history-"));
  server = await serve({ directory, host: "127.0.0.1", port: 0, filesetName: "shared" });
  ann = new RemotePeer(server);
  bob = new RemotePeer(server);
  await ann.mkdir("/src");
  await ann.write("/src/main.c", "one\ntwo\nthree\n");
  await ann.write("/other", "other");
  at.start = head();
  await bob.write("/src/main.c", "one\n2\nthree\n");
  await bob.chmod("/src/main.c", 0o600);
  await bob.setAttribute("/src/main.c", "user.note", "kept");
  at.written = head();
  await ann.rename("/src", "/lib");
  await ann.rename("/lib/main.c", "/lib/start.c");
  at.moved = head();
  await bob.remove("/other");
  await bob.write("/lib/main.c", "another file of that name");
  at.end = head();
});
afterAll(async () => {
  await ann[Symbol.asyncDispose]();
  await bob[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

/** Operations of the records that `izo log` prints. */
const opcodes = async (...args: readonly string[]): Promise<string[]> => {
  const { status, stdout } = await izo("log", server.url, ...args, "--json");
  expect(status).toBe(EXIT.ok);
  return lines(stdout).map((line) => (JSON.parse(line) as { opcode: string }).opcode);
};

describe("izo log PATH", () => {
  test("follows a file across renames of itself and of its directory to its making", async () => {
    const all = ["CREATE", "CLOSE", "CLOSE", "SETATTR", "SETEXTATTR", "RENAME"];
    expect(await opcodes("lib/start.c")).toEqual(all);
    expect(await opcodes("lib/start.c", "--last", "2")).toEqual(all.slice(-2));
    expect(await opcodes("src/main.c"), "by a path that it had").toEqual(all);
    expect(await opcodes("other"), "what was removed").toEqual(["CREATE", "CLOSE", "UNLINK"]);
  });

  test("of a name that two files had tells of both; of a directory what is below it, too", async () => {
    expect(await opcodes("lib/main.c")).toHaveLength(8);
    const ofDirectory = await opcodes("lib");
    expect(await opcodes("lib", "--last", "2")).toEqual(ofDirectory.slice(-2));
    expect(ofDirectory, "made under another name").toContain("MKDIR");
    expect(ofDirectory.filter((opcode) => opcode === "CREATE")).toHaveLength(1);
  });
});

test("izo show prints a record in full, and as a diff what it changed", async () => {
  const shown = await izo("show", server.url, String(at.start + 1));
  expect(shown).toMatchObject({ status: EXIT.ok, stderr: "" });
  expect(shown.stdout).toMatch(/^by +uid 1000, vim on laptop \([0-9a-f]{8}\)$/m);
  expect(shown.stdout).toMatch(/^outcome +applied$/m);
  expect(shown.stdout).toMatch(/^contentBase +\d+$/m);
  expect(lines(shown.stdout).slice(-5)).toEqual([
    "@@ -1,3 +1,3 @@",
    " one",
    "-two",
    "+2",
    " three",
  ]);
  const beyond = await izo("show", server.url, "5000");
  expect(beyond.status).not.toBe(EXIT.ok);
});

test("izo blame names who last changed each entry, now and before", async () => {
  const { stdout } = await izo("blame", server.url, "lib");
  expect(stdout).toMatch(/RENAME +uid 1000, vim on laptop \([0-9a-f]{8}\) +start\.c$/m);
  const before = await izo("blame", server.url, "src", "--at", String(at.start), "--json");
  const [entry] = lines(before.stdout).map(
    (line) => JSON.parse(line) as { name: string; recno: number; record: { origin: object } },
  );
  expect(entry).toMatchObject({ name: "main.c", record: { origin: { peer: ann.peer } } });
});

describe("izo diff", () => {
  test("tells what was added, removed, renamed and changed", async () => {
    const { status, stdout } = await izo("diff", server.url, `${at.start}..`);
    expect(status).toBe(EXIT.ok);
    expect(lines(stdout)).toEqual([
      "R /src → /lib/",
      "A /lib/main.c",
      "R /src/main.c → /lib/start.c  (content, mode, xattr user.note)",
      "D /other",
    ]);
    const back = await izo("diff", server.url, `${at.end}..${at.start}`, "--json");
    const changes = lines(back.stdout).map((line) => JSON.parse(line) as { change: string });
    expect(changes.map(({ change }) => change).toSorted()).toEqual([
      "added",
      "removed",
      "renamed",
      "renamed",
    ]);
  });

  test("sums up, keeps to a path, and shows contents", async () => {
    const stat = await izo("diff", server.url, `${at.start}..`, "--stat");
    expect(stat.stdout).toBe("1 added, 1 removed, 0 modified, 2 renamed, +18 B\n");
    const patch = await izo("diff", server.url, `${at.start}..`, "lib/start.c", "--patch");
    expect(lines(patch.stdout).slice(1)).toEqual([
      "@@ -1,3 +1,3 @@",
      " one",
      "-two",
      "+2",
      " three",
    ]);
    const none = await izo("diff", server.url, `${at.end}..`);
    expect(none.stdout).toBe("no differences\n");
  });
});

test("izo ls and izo cat show what was", async () => {
  const listed = await izo("ls", server.url, "--at", String(at.start));
  expect(listed.stdout).toMatch(/^drwxr-xr-x .* src$/m);
  expect(listed.stdout).toMatch(/^-rw-r--r-- .* 5 .* other$/m);
  expect((await izo("cat", server.url, "other", "--at", String(at.moved))).stdout).toBe("other");
  const gone = await izo("cat", server.url, "other");
  expect(gone.status).toBe(EXIT.failed);
  expect(gone.stderr).toContain('Cannot find "/other" in the fileset');
  const json = await izo("cat", server.url, "src/main.c", "--at", String(at.start), "--json");
  const { base64 } = JSON.parse(json.stdout) as { base64: string };
  expect(Buffer.from(base64, "base64").toString()).toBe("one\ntwo\nthree\n");
});

describe("izo restore", () => {
  test("puts back a directory with contents, modes, times and attributes, as records like others", async () => {
    const place = ["--at", String(at.written), "--to", restored()];
    const dry = await izo("restore", server.url, "src", ...place, "--dry-run");
    expect(lines(dry.stdout)).toEqual([
      `would restore ${restored()}`,
      `would restore ${restored()}/main.c`,
    ]);
    const done = await izo("restore", server.url, "src", ...place);
    expect(done).toMatchObject({ status: EXIT.ok, stderr: "" });
    const file = join(restored(), "main.c");
    expect(readFileSync(file, "utf8")).toBe("one\n2\nthree\n");
    expect(statSync(file).mode & 0o7777).toBe(0o600);
    expect(statSync(file, { bigint: true }).mtimeNs).toBe(1_700_000_000_000_000_000n);
    expect(lgetxattr(file, "user.note")?.toString()).toBe("kept");
    const isLogged = () => server.fileset.lookUp("/restored/main.c")?.object.sizeBytes;
    await expect.poll(isLogged, { timeout: 20_000 }).toBe(12);
  });

  test("replaces nothing without being told, and says what it would", async () => {
    const target = join(directory, "mine");
    writeFileSync(target, "my own");
    const place = ["--at", String(at.start), "--to", target];
    const refused = await izo("restore", server.url, "other", ...place);
    expect(refused.status).toBe(EXIT.conflict);
    expect(refused.stderr).toContain("there is something else");
    expect(refused.stderr).toContain("--overwrite");
    expect(readFileSync(target, "utf8")).toBe("my own");
    const replaced = await izo("restore", server.url, "other", ...place, "--overwrite");
    expect(replaced.status).toBe(EXIT.ok);
    expect(readFileSync(target, "utf8")).toBe("other");
  });

  test("asks by the exported directory, on the server's machine, and puts back where it was", async () => {
    const fileset = ["--fileset", "shared"];
    const place = ["--at", String(at.moved), ...fileset];
    const done = await izo("restore", join(directory, "other"), ...place);
    expect(done).toMatchObject({ status: EXIT.ok, stderr: "" });
    expect(readFileSync(join(directory, "other"), "utf8")).toBe("other");
    const socket = join(server.fileset.stateDirectory, "api.sock");
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    const log = await izo("log", join(directory, "lib/start.c"), ...fileset);
    expect(lines(log.stdout)).toHaveLength(6);
    const nothing = await izo("ls", tmpdir(), ...fileset);
    expect(nothing.status).toBe(EXIT.unreachable);
    const unserved = await izo("ls", directory, "--fileset", "none");
    expect(unserved.status).toBe(EXIT.unreachable);
  });

  test("restores the rest where a content is not kept any more, and says since when it is gone", async () => {
    const { sha256 } = server.fileset.history.lookUp("/src/main.c", at.start as never)!.object;
    rmSync(join(server.fileset.stateDirectory, "objects", sha256!));
    const target = join(directory, "partly");
    const done = await izo("restore", server.url, "--at", String(at.start), "--to", target);
    expect(done.status).toBe(EXIT.failed);
    expect(done.stderr).toMatch(
      /warning: Cannot send "\/src\/main\.c" as it was behind record \d+: record \d+ replaced or removed it at 2/,
    );
    expect(readFileSync(join(target, "other"), "utf8")).toBe("other");
    const nowhere = await izo("restore", server.url, "other", "--at", String(at.start));
    expect(nowhere.status).toBe(EXIT.usage);
  });
});

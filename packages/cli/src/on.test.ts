import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type RunningServer, serve } from "@izo/server";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { CursorFile } from "./on/cursor-file.ts";
import { EXIT } from "./output/exit-code.ts";
import { izoIn } from "./testing/izo-in.ts";

let directory = "";
let exported = "";
let server: RunningServer;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "izo-on-"));
  exported = join(directory, "export");
  mkdirSync(join(exported, "docs"), { recursive: true });
  writeFileSync(join(exported, "docs", "a.md"), "a");
  writeFileSync(join(exported, "docs", "b.md"), "b");
  writeFileSync(join(exported, "$(touch owned).md"), "c");
  writeFileSync(join(exported, "other.txt"), "d");
  server = await serve({ directory: exported, host: "127.0.0.1", port: 0 });
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

/** Appends what it was given to `seen`, and ends as `status` says, if that file is there. */
const SCRIPT = `cd "$0"
printf '%s %s\\n' "$IZO_OPCODE" "$IZO_PATH" >> seen
cat >> records
exit $(cat status 2>/dev/null || echo 0)`;

const on = async (...args: string[]) =>
  izoIn(directory, ["on", server.url, ...args, "--", "sh", "-c", SCRIPT, directory]);
const seen = (): string[] => {
  const file = join(directory, "seen");
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8").trimEnd().split("\n");
};

const ALL = ["*.md", "--op", "CLOSE", "--from", "start", "--once"];

describe("izo on", () => {
  test("hands out each record once, over several runs, whatever its path looks like", async () => {
    expect((await on(...ALL)).status).toBe(EXIT.ok);
    const first = ["CLOSE /$(touch owned).md", "CLOSE /docs/a.md", "CLOSE /docs/b.md"];
    expect(seen().toSorted()).toEqual(first);
    expect(existsSync(join(directory, "owned"))).toBe(false);
    const [record] = readFileSync(join(directory, "records"), "utf8").split("\n");
    expect(JSON.parse(record!)).toMatchObject({ opcode: "CLOSE", actor: { uid: 0 } });

    writeFileSync(join(exported, "docs", "b.md"), "b, later");
    const head = server.fileset.headPosition.recno;
    await server.fileset.waitForRecno(head, 10_000);
    await on(...ALL);
    expect(seen().slice(3)).toEqual(["CLOSE /docs/b.md"]);
    await on(...ALL);
    expect(seen()).toHaveLength(4);
  });

  test("begins with what comes from now on, unless it is told where", async () => {
    await on("*.txt", "--once", "--op", "CREATE");
    expect(seen()).toEqual([]);
    const head = server.fileset.headPosition.recno;
    writeFileSync(join(exported, "between two runs.txt"), "");
    await server.fileset.waitForRecno(head, 10_000);
    await on("*.txt", "--once", "--op", "CREATE");
    expect(seen()).toEqual(["CREATE /between two runs.txt"]);
    await on("/docs/", "--once", "--from", "0");
    expect(seen()).toContain("MKDIR /docs");
    expect(seen()).toContain("CREATE /docs/a.md");
    expect(seen().join()).not.toContain("other.txt");
  });

  test("stops at a record for which the command fails for good, and begins with it again", async () => {
    writeFileSync(join(directory, "status"), "3");
    const failed = await on(...ALL, "--retries", "1");
    expect(failed.status).toBe(EXIT.failed);
    expect(failed.stderr).toMatch(/ended with status 3 for record \d+, 2 times/);
    expect(seen()).toHaveLength(2);
    expect(new Set(seen()).size).toBe(1);
    rmSync(join(directory, "status"));
    await on(...ALL);
    expect(seen()).toHaveLength(5);
    expect(seen()[2]).toBe(seen()[0]);
  });

  test("goes on behind such a record where it is told to", async () => {
    writeFileSync(join(directory, "status"), "3");
    const { status, stderr } = await on(...ALL, "--retries", "0", "--skip-failed");
    expect(status).toBe(EXIT.ok);
    expect(stderr).toContain("is skipped");
    expect(seen()).toHaveLength(3);
  });

  test("leaves a cursor alone that somebody else uses, or that is none of its own", async () => {
    const cursor = join(directory, "cursor.json");
    {
      using held = new CursorFile(cursor, server.url);
      expect(held.read()).toBeNull();
      const { stderr } = await on(...ALL, "--cursor", cursor);
      expect(stderr).toContain("another izo on has it");
    }
    writeFileSync(cursor, "{}");
    const { stderr } = await on(...ALL, "--cursor", cursor);
    expect(stderr).toContain("Cannot read the cursor");
    expect(readFileSync(cursor, "utf8")).toBe("{}");
    expect(seen()).toEqual([]);
  });

  test.each([
    { args: ["*.md", "--op", "NOTHING"], reason: "there is none" },
    { args: ["*.md", "--from", "yesterday"], reason: "no place in a log" },
    { args: ["a//b"], reason: "empty name" },
  ])("refuses $args", async ({ args, reason }) => {
    const { status, stderr } = await on(...args, "--once");
    expect(status).not.toBe(EXIT.ok);
    expect(stderr).toContain(reason);
  });
});

test("CursorFile gives back the place that was written, and only for the same log", () => {
  const path = join(directory, "deep", "cursor.json");
  const cursor = { after: server.fileset.headPosition, done: server.fileset.headPosition.recno };
  {
    using file = new CursorFile(path, "http://a/f");
    expect(file.read()).toBeNull();
    file.write(cursor);
    expect(file.read()).toEqual(cursor);
  }
  using other = new CursorFile(path, "http://b/f");
  expect(() => other.read()).toThrow("it is of http://a/f");
});

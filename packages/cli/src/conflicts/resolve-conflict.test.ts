// On a plain directory: what resolves a conflict are ordinary file operations.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { ConflictSide, Oid, Recno, StandingConflict } from "@izo/core";
import { lgetxattr, lsetxattr } from "@izo/sys";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { CannotResolveError } from "./conflict-error.ts";
import { resolveConflict } from "./resolve-conflict.ts";
import { runMerge } from "./run-merge.ts";

const COPY = "note.conflict-20260102T030405Z-box.txt";
let mount = "";
const at = (name: string): string => join(mount, name);
const read = (name: string): string => readFileSync(at(name), "utf8");

beforeEach(() => {
  mount = mkdtempSync(join(tmpdir(), "izo-resolve-"));
  writeFileSync(at("note.txt"), "ours");
  writeFileSync(at(COPY), "theirs");
});
afterEach(() => {
  rmSync(mount, { recursive: true });
});

function side(path: string, kind: ConflictSide["kind"] = "file"): ConflictSide {
  return { oid: "c".repeat(32) as Oid, path, kind, sizeBytes: 0, sha256: null };
}

function conflict(change: Partial<StandingConflict> = {}): StandingConflict {
  return {
    copy: side(`/${COPY}`),
    original: side("/note.txt"),
    host: "box",
    time: "2026-01-02T03:04:05Z",
    base: 1 as Recno,
    ours: null,
    theirs: null,
    ...change,
  };
}

describe("resolveConflict()", () => {
  it("--ours removes the copy", async () => {
    expect(await resolveConflict(mount, conflict(), { kind: "ours" })).toBe("/note.txt");
    expect(readdirSync(mount)).toEqual(["note.txt"]);
    expect(read("note.txt")).toBe("ours");
  });

  it("--theirs gives the file the copy's content, and leaves it its mode and attributes", async () => {
    chmodSync(at("note.txt"), 0o640);
    lsetxattr(at("note.txt"), "user.colour", Buffer.from("red"));
    expect(await resolveConflict(mount, conflict(), { kind: "theirs" })).toBe("/note.txt");
    expect(readdirSync(mount)).toEqual(["note.txt"]);
    expect(read("note.txt")).toBe("theirs");
    expect(statSync(at("note.txt")).mode & 0o777).toBe(0o640);
    expect(lgetxattr(at("note.txt"), "user.colour")?.toString()).toBe("red");
  });

  it("--theirs gives the copy the name back that nobody has any more", async () => {
    rmSync(at("note.txt"));
    const path = await resolveConflict(mount, conflict({ original: null }), { kind: "theirs" });
    expect(path).toBe("/note.txt");
    expect(read("note.txt")).toBe("theirs");
  });

  it("--both gives the copy a name of its own", async () => {
    const path = await resolveConflict(mount, conflict(), { kind: "both" });
    expect(path).toBe("/note.box-20260102T030405Z.txt");
    expect(read("note.txt")).toBe("ours");
    expect(read("note.box-20260102T030405Z.txt")).toBe("theirs");
    expect(existsSync(at(COPY))).toBe(false);
  });

  it("--both overwrites nothing", async () => {
    writeFileSync(at("note.box-20260102T030405Z.txt"), "somebody's");
    const resolving = resolveConflict(mount, conflict(), { kind: "both" });
    await expect(resolving).rejects.toThrow(CannotResolveError);
    expect(read("note.box-20260102T030405Z.txt")).toBe("somebody's");
    expect(read(COPY)).toBe("theirs");
  });

  it("a merge writes its result and removes the copy last", async () => {
    const merge = async (): Promise<Buffer> => {
      expect(readdirSync(mount).toSorted()).toEqual([COPY, "note.txt"]);
      return Buffer.from("merged");
    };
    expect(await resolveConflict(mount, conflict(), { kind: "merge", merge })).toBe("/note.txt");
    expect(readdirSync(mount)).toEqual(["note.txt"]);
    expect(read("note.txt")).toBe("merged");
  });

  it("a merge is not written over what was changed meanwhile", async () => {
    const resolving = resolveConflict(mount, conflict(), {
      kind: "merge",
      merge: async () => {
        writeFileSync(at("note.txt"), "newer");
        return Buffer.from("merged");
      },
    });
    await expect(resolving).rejects.toThrow("it was changed meanwhile");
    expect(read("note.txt")).toBe("newer");
    expect(read(COPY)).toBe("theirs");
  });

  it("goes on from what a crash left: a temporary file, or only the copy to remove", async () => {
    const left = at(`.izo-resolve-${"c".repeat(12)}`);
    writeFileSync(left, "half of it and more than that");
    await resolveConflict(mount, conflict(), { kind: "theirs" });
    expect(readdirSync(mount)).toEqual(["note.txt"]);
    writeFileSync(at(COPY), "theirs");
    await resolveConflict(mount, conflict(), { kind: "theirs" });
    expect(readdirSync(mount)).toEqual(["note.txt"]);
    expect(read("note.txt")).toBe("theirs");
  });

  it.each([{ kind: "ours" }, { kind: "theirs" }] as const)(
    "--$kind refuses to remove a directory with something in it",
    async (resolution) => {
      rmSync(at(COPY));
      mkdirSync(at(COPY));
      writeFileSync(at(`${COPY}/kept`), "x");
      const standing = conflict({ copy: side(`/${COPY}`, "directory") });
      await expect(resolveConflict(mount, standing, resolution)).rejects.toThrow(
        CannotResolveError,
      );
      expect(read(`${COPY}/kept`)).toBe("x");
    },
  );
});

describe("runMerge()", () => {
  const input = {
    path: "/it's a note.txt",
    ancestor: Buffer.from("base"),
    ours: Buffer.from("ours"),
    theirs: Buffer.from("theirs"),
  };
  const { signal } = new AbortController();

  it("gives the command three files and takes the result from %A", async () => {
    const result = await runMerge("cat %O %B >> %A && echo %P %% >> %A", input, signal);
    expect(result.toString()).toBe("oursbasetheirs/it's a note.txt %\n");
  });

  it("refuses the result of a command that failed", async () => {
    await expect(runMerge("echo x > %A; exit 3", input, signal)).rejects.toThrow(
      "the merge command ended with status 3",
    );
  });
});

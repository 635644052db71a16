import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import {
  type ClientOperation,
  type Entry,
  type Name,
  NO_RECNO,
  type Oid,
  ROOT_OID,
  type TreeObject,
} from "@izo/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { openTestExport, temporaryDirectory } from "../../testing/temporary-export.ts";
import { closeFile, createFile, makeDirectory, TestPeer } from "../../testing/test-peer.ts";
import type { Export } from "../export.ts";
import { reindexExport } from "../reindex-export.ts";
import { verifyExport } from "../verify-export.ts";

const IGNORE = ["build/", "*.tmp", "/conf/secret"];

let cleanup: AsyncDisposableStack;
let dir = "";
let exported: Export;

async function open(ignore: readonly string[] = IGNORE): Promise<void> {
  exported = await openTestExport(dir, { ignore });
}

async function reopen(ignore: readonly string[]): Promise<void> {
  await exported[Symbol.asyncDispose]();
  await open(ignore);
}

beforeEach(async () => {
  cleanup = new AsyncDisposableStack();
  ({ dir } = cleanup.use(await temporaryDirectory()));
  for (const name of ["src/build/deep", "conf"]) await mkdir(join(dir, name), { recursive: true });
  const files = ["src/main.c", "src/x.tmp", "src/build/out", "src/build/deep/o", "conf/secret"];
  for (const name of files) await writeFile(join(dir, name), `content of ${name}`);
  await open();
  cleanup.defer(() => exported[Symbol.asyncDispose]());
});

afterEach(() => cleanup.disposeAsync());

/** All that has a name in the log. */
function entries(): Entry[] {
  const rows = [...exported.snapshot().rows()];
  return rows.flatMap((row) => (row.kind === "entry" ? row.entry : []));
}

const known = (): string[] =>
  entries()
    .map(({ name }) => name)
    .toSorted();

/** An object of the tree, and where it is. */
function at(path: string): { readonly object: TreeObject; readonly entry: Entry } {
  const { object } = exported.lookUp(path)!;
  return { object, entry: entries().find(({ oid }) => oid === object.oid)! };
}

const content = (name: string): Promise<string> => readFile(join(dir, name), "utf8");

const oidOf = (path: string): Oid => exported.lookUp(path)!.object.oid;

function removal(path: string): ClientOperation {
  const { object, entry } = at(path);
  const { parent, name, version } = entry;
  return { opcode: "RMDIR", oid: object.oid, parent, name, path, nameBase: version };
}

function move(path: string, toParent: Oid, toName: string): ClientOperation {
  const { object, entry } = at(path);
  return {
    opcode: "RENAME",
    oid: object.oid,
    contentBase: object.contentVersion,
    fromParent: entry.parent,
    fromName: entry.name,
    fromPath: path,
    fromBase: entry.version,
    toParent,
    toName: toName as Name,
    toPath: `/${toName}`,
    victim: null,
    keepsOid: false,
    conflict: null,
  };
}

describe("what an export leaves out", () => {
  it("is never logged, whenever and wherever it comes, and no difference to izo verify", async () => {
    expect(known()).toEqual(["conf", "main.c", "src"]);
    await mkdir(join(dir, "new/build"), { recursive: true });
    await writeFile(join(dir, "new/build/out"), "built");
    await writeFile(join(dir, "new/seen"), "seen");
    await writeFile(join(dir, "src/y.tmp"), "temporary");
    await expect.poll(known).toEqual(["conf", "main.c", "new", "seen", "src"]);
    // What gets another name is seen from then on.
    await rename(join(dir, "src/y.tmp"), join(dir, "src/y"));
    await expect.poll(known).toContain("y");
    await exported.rescan();
    expect(known()).not.toContain("out");
    await exported[Symbol.asyncDispose]();
    expect(await verifyExport(dir)).toEqual([]);
    await reindexExport({ dir });
    await open();
    expect(known()).not.toContain("build");
    expect(await verifyExport(dir)).toEqual([]);
  });

  it("[K48] keeps its name: what a client makes under it becomes a copy beside it, with its content", async () => {
    const peer = new TestPeer(exported);
    const src = oidOf("/src");
    const file = createFile("x.tmp", undefined, src);
    const directory = makeDirectory("build", undefined, src);
    await peer.stage("of the client");
    const results = await peer.push(
      file,
      closeFile(file.oid, "of the client", { peer: peer.peer, recno: 1 as never }),
      directory,
      createFile("inside", undefined, directory.oid),
      move("/src/main.c", src, "x.tmp"),
    );
    const verdicts = ["copied", "applied", "copied", "applied", "copied"];
    expect(results.map(({ verdict }) => verdict)).toEqual(verdicts);
    expect(await content("src/x.tmp")).toBe("content of src/x.tmp");
    expect((await readdir(join(dir, "src/build"))).toSorted()).toEqual(["deep", "out"]);
    const names = await readdir(join(dir, "src"));
    const copy = names.find((name) => /^x\.conflict-.*-laptop\.tmp$/.test(name));
    expect(["of the client", "content of src/main.c"]).toContain(await content(`src/${copy}`));
    expect(names).toContainEqual(expect.stringMatching(/^build\.conflict-.*-laptop$/));
    await exported.settle();
    expect(await verifyExport(dir)).toEqual([]);
    expect(exported.conflicts()).toHaveLength(3);
  });

  it("[K48] is not in the way of a name that nobody has: what a client makes there is followed", async () => {
    const peer = new TestPeer(exported);
    const file = createFile("y.tmp");
    await peer.stage("v1");
    await peer.push(file, closeFile(file.oid, "v1", { peer: peer.peer, recno: 1 as never }));
    expect(await content("y.tmp")).toBe("v1");
    await writeFile(join(dir, "y.tmp"), "v2, by a program on the server");
    await expect.poll(() => exported.lookUp("/y.tmp")!.object.sizeBytes).toBe(30);
    expect(await verifyExport(dir)).toEqual([]);
  });

  it("[K49] is not removed with its directory: that is refused while there is any of it", async () => {
    const peer = new TestPeer(exported);
    const main = at("/src/main.c");
    const unlink: ClientOperation = {
      opcode: "UNLINK",
      oid: main.object.oid,
      parent: main.entry.parent,
      name: main.entry.name,
      path: "/src/main.c",
      nameBase: main.entry.version,
      contentBase: main.object.contentVersion,
      isLastName: true,
    };
    const results = await peer.push(unlink, removal("/src"));
    expect(results.map(({ verdict, reason }) => [verdict, reason])).toEqual([
      ["applied", null],
      ["refused", "not-empty"],
    ]);
    expect(await content("src/build/deep/o")).toBe("content of src/build/deep/o");
    expect(await content("src/x.tmp")).toBe("content of src/x.tmp");
    // No more of it than a directory that is left out, and nothing at all.
    await rm(join(dir, "src/x.tmp"));
    expect(await peer.push(removal("/src"))).toMatchObject([{ reason: "not-empty" }]);
    await rm(join(dir, "src/build"), { recursive: true });
    expect(await peer.push(removal("/src"))).toMatchObject([{ verdict: "applied" }]);
    expect(await readdir(dir)).not.toContain("src");
  });

  it("[K49] is not replaced with its directory by a move over it", async () => {
    const peer = new TestPeer(exported);
    const other = makeDirectory("other");
    await peer.push(other, removal("/conf"));
    const conf = oidOf("/conf");
    const over = { ...move("/other", ROOT_OID, "conf"), victim: victimOf(conf) } as ClientOperation;
    expect(await peer.push(over)).toMatchObject([{ verdict: "copied" }]);
    expect(await content("conf/secret")).toBe("content of conf/secret");
    expect(await verifyExport(dir)).toEqual([]);
  });

  it("[K50] stays left out: no client moves a directory through which its pattern leads", async () => {
    const peer = new TestPeer(exported);
    const results = await peer.push(
      move("/conf", ROOT_OID, "public"),
      move("/src", ROOT_OID, "moved"),
    );
    expect(results).toMatchObject([
      { verdict: "refused", reason: "wrong-kind" },
      { verdict: "applied" },
    ]);
    await exported.settle();
    expect(known()).toEqual(["conf", "main.c", "moved"]);
    // What is left out by its name alone has moved along.
    expect(await content("moved/build/out")).toBe("content of src/build/out");
    expect(await verifyExport(dir)).toEqual([]);
  });
});

describe("patterns that change between two starts", () => {
  it("take nothing away that was exported, and leave out only what is new", async () => {
    await reopen(["main.c", "src/"]);
    expect(known()).toEqual(["conf", "main.c", "secret", "src"]);
    await writeFile(join(dir, "src/main.c"), "changed, and still followed");
    await writeFile(join(dir, "src/new"), "new, and left out");
    await expect.poll(() => exported.lookUp("/src/main.c")!.object.sizeBytes).toBe(27);
    expect(known()).not.toContain("new");
    expect(await verifyExport(dir)).toEqual([]);
  });

  it("are those of the last start where nothing is said, also for izo verify", async () => {
    await exported[Symbol.asyncDispose]();
    exported = await openTestExport(dir);
    expect(exported.ignored).toEqual(IGNORE);
    expect(known()).toEqual(["conf", "main.c", "src"]);
    expect(await verifyExport(dir)).toEqual([]);
  });

  it("export what they leave out no longer, and the server says so", async () => {
    const notices: string[] = [];
    await exported[Symbol.asyncDispose]();
    exported = await openTestExport(dir, { ignore: ["*.tmp"], onNotice: (n) => notices.push(n) });
    expect(known()).toEqual(["build", "conf", "deep", "main.c", "o", "out", "secret", "src"]);
    expect(notices).toEqual([expect.stringContaining('it is "*.tmp"')]);
  });
});

function victimOf(oid: Oid) {
  return { oid, contentBase: NO_RECNO, isLastName: true };
}

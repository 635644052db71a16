import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  closeSync,
  existsSync,
  fstatSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { DRIVERS } from "./fuse/driver-name.ts";
import { LoopbackServer } from "./testing/loopback-server.ts";
import { mountInProcess, type MountInProcess } from "./testing/mount-in-process.ts";
import { ServedCache } from "./testing/served-cache.ts";

const SOON = { timeout: 20_000 };

/** Packages as a package manager leaves them: directories, files, links of both sorts. */
function install(modules: string): void {
  mkdirSync(join(modules, ".bin"), { recursive: true });
  for (let index = 0; index < 12; index += 1) {
    const staged = join(modules, `.pkg-${index}`);
    mkdirSync(join(staged, "lib"), { recursive: true });
    writeFileSync(join(staged, "package.json"), `{"name":"pkg-${index}"}`);
    writeFileSync(join(staged, "lib/index.js"), `module.exports = ${index};`, { mode: 0o755 });
    linkSync(join(staged, "lib/index.js"), join(staged, "lib/again.js"));
    renameSync(staged, join(modules, `pkg-${index}`));
    symlinkSync(`../pkg-${index}/lib/index.js`, join(modules, `.bin/pkg-${index}`));
  }
}

function digest(directory: string): string {
  const script = 'find . -printf "%P %y %m %s %l\\n" | sort; find . -type f | sort | xargs cat';
  return execFileSync("sh", ["-c", script], { cwd: directory, encoding: "utf8" });
}

describe.each(DRIVERS)("what is ignored behind the driver %s", (driver) => {
  let served: ServedCache;
  let mnt = "";

  beforeEach(async () => {
    served = await ServedCache.start(driver, ["node_modules/", "*.o", "*.tmp"]);
    mnt = served.mountPoint;
  });

  afterEach(async () => {
    await served[Symbol.asyncDispose]();
  });

  const at = (name: string): string => join(mnt, name);

  test("[K51] is as on a local disk, is in no record, and outlives kill -9", async () => {
    mkdirSync(at("app"));
    install(at("app/node_modules"));
    const local = join(served.base, "local");
    install(local);
    expect(digest(at("app/node_modules"))).toBe(digest(local));
    const fd = openSync(at("app/node_modules/open"), "w");
    writeSync(fd, "begun");
    await served.stop("SIGKILL");
    closeQuietly(fd);
    const { recovered, pending, errors } = await served.start();
    expect(recovered).toEqual([]);
    expect(pending).toHaveLength(1);
    expect(errors).toEqual([]);
    expect(readFileSync(at("app/node_modules/open"), "utf8")).toBe("begun");
    unlinkSync(at("app/node_modules/open"));
    expect(digest(at("app/node_modules"))).toBe(digest(local));
    expect(readdirSync(at("app"))).toEqual(["node_modules"]);
    expect(() => rmdirSync(at("app"))).toThrow("ENOTEMPTY");
    rmSync(at("app"), { recursive: true });
    expect(readdirSync(mnt)).toEqual([]);
    expect(readdirSync(join(served.cacheDir, "ignored"))).toEqual([]);
    expect(await served.pending()).toEqual(["MKDIR /app", "RMDIR /app"]);
  });

  test("[K51] keeps what is open under other names and under none, and its times", () => {
    writeFileSync(at("a.o"), "one");
    const fd = openSync(at("a.o"), "r+");
    appendFileSync(at("a.o"), "two");
    expect(fstatSync(fd).size).toBe(6);
    renameSync(at("a.o"), at("b.o"));
    writeSync(fd, "ONE", 0);
    expect(readFileSync(at("b.o"), "utf8")).toBe("ONEtwo");
    unlinkSync(at("b.o"));
    writeSync(fd, "!", 6);
    expect(fstatSync(fd)).toMatchObject({ size: 7, nlink: 0 });
    closeSync(fd);
    writeFileSync(at("c.o"), "");
    const past = new Date("2001-02-03T04:05:06Z");
    execFileSync("touch", ["-d", past.toISOString(), at("c.o")]);
    expect(statSync(at("c.o")).mtime).toEqual(past);
  });

  test("[K54] files move across with all that is open on them, directories by being copied", async () => {
    writeFileSync(at("doc"), "old");
    const fd = openSync(at("doc.tmp"), "w");
    writeSync(fd, "new");
    renameSync(at("doc.tmp"), at("doc"));
    writeSync(fd, "er");
    closeSync(fd);
    expect(readFileSync(at("doc"), "utf8")).toBe("newer");

    const other = openSync(at("saved"), "w");
    writeSync(other, "obj");
    renameSync(at("saved"), at("main.o"));
    writeSync(other, "ect");
    closeSync(other);
    expect(readFileSync(at("main.o"), "utf8")).toBe("object");
    expect(existsSync(at("saved"))).toBe(false);

    install(at("node_modules"));
    expect(() => renameSync(at("node_modules"), at("modules"))).toThrow("EXDEV");
    const before = digest(at("node_modules"));
    const records = (await served.pending()).length;
    execFileSync("mv", [at("node_modules"), at("modules")]);
    expect(digest(at("modules"))).toBe(before);
    expect(existsSync(at("node_modules"))).toBe(false);
    expect((await served.pending()).length).toBeGreaterThan(records + 50);

    await served.stop("SIGKILL");
    const { errors } = await served.start();
    expect(errors).toEqual([]);
    expect(readdirSync(mnt)).toEqual(["doc", "main.o", "modules"]);
    expect(readFileSync(at("doc"), "utf8")).toBe("newer");
    expect(readFileSync(at("main.o"), "utf8")).toBe("object");
    expect(digest(at("modules"))).toBe(before);
  });
});

describe("what is ignored on a mount with a server", () => {
  let stack: AsyncDisposableStack;
  let server: LoopbackServer;
  let mounted: MountInProcess;
  let base = "";

  const at = (name: string): string => join(base, "mnt", name);
  const there = (name: string): string => join(server.dir, name);
  const flush = () => mounted.control.flush(AbortSignal.timeout(SOON.timeout));

  async function mount(ignore?: readonly string[]): Promise<void> {
    const places = { url: server.url, mountPoint: at(""), cacheDir: join(base, "cache") };
    mounted = stack.use(await mountInProcess({ ...places, ...(ignore && { ignore }) }));
  }

  async function unmount(): Promise<void> {
    await mounted.control.unmount();
    await mounted.stop("SIGTERM");
  }

  beforeEach(async () => {
    stack = new AsyncDisposableStack();
    base = mkdtempSync(join(tmpdir(), "izo-ignored-"));
    stack.defer(() => rmSync(base, { recursive: true, force: true }));
    server = stack.use(await LoopbackServer.start());
    mkdirSync(at(""));
    await mount(["node_modules/", "/out"]);
  });

  afterEach(async () => {
    await stack.disposeAsync();
  });

  test("never leaves this machine, and is kept where others remove what it is in", async () => {
    mkdirSync(at("app"));
    install(at("app/node_modules"));
    writeFileSync(at("app/main.js"), "shared");
    await flush();
    expect(readdirSync(there("app"))).toEqual(["main.js"]);
    renameSync(at("app"), at("moved"));
    expect(readFileSync(at("moved/node_modules/pkg-1/lib/index.js"), "utf8")).toContain("1");
    await flush();

    await server.kill();
    writeFileSync(at("moved/node_modules/offline"), "made without a server");
    writeFileSync(at("moved/later.js"), "shared later");
    await server.start();
    await flush();
    expect(readdirSync(there("moved")).toSorted()).toEqual(["later.js", "main.js"]);

    rmSync(there("moved"), { recursive: true });
    await expect.poll(() => readdirSync(at("")), SOON).toEqual([]);
    const { ignored } = await mounted.control.status();
    expect(ignored).toMatchObject({ entries: 1, leftBehind: [{ path: "/moved" }] });
    const { keptAs } = ignored.leftBehind[0]!;
    expect(readFileSync(join(keptAs, "node_modules/offline"), "utf8")).toContain("without");
  });

  test("[K53] gives way to what others make under its name", async () => {
    mkdirSync(at("node_modules"));
    writeFileSync(at("node_modules/mine"), "mine");
    expect(existsSync(at("node_modules/theirs"))).toBe(false);
    mkdirSync(there("node_modules"));
    writeFileSync(there("node_modules/theirs"), "theirs");
    await expect.poll(() => existsSync(at("node_modules/theirs")), SOON).toBe(true);
    const names = readdirSync(at(""));
    const found = names.map((name) => join(name, "mine")).find((name) => existsSync(at(name)));
    expect(readFileSync(at(found ?? ""), "utf8")).toBe("mine");
    await flush();
    expect(readdirSync(there(""))).toEqual([".intermezzo", "node_modules"]);
  });

  test("[K57] [K58] is logged where no pattern means it any more; a mount that says nothing keeps its patterns", async () => {
    install(at("out"));
    const before = digest(at("out"));
    await unmount();
    await mount();
    await flush();
    expect(existsSync(there("out"))).toBe(false);
    expect((await mounted.control.status()).ignored.patterns).toEqual(["node_modules/", "/out"]);
    await unmount();
    await mount(["node_modules/", "*.json"]);
    expect(readdirSync(at("out/pkg-1")).toSorted()).toEqual(["lib", "package.json"]);
    expect(digest(at("out"))).toBe(before);
    await flush();
    expect(readdirSync(there("out/pkg-1"))).toEqual(["lib"]);
    await unmount();
    await mount([]);
    await flush();
    expect(digest(there("out"))).toBe(before);
    expect((await mounted.control.status()).ignored).toEqual({
      patterns: [],
      entries: 0,
      leftBehind: [],
    });
    const verified = await mounted.control.verify({ isQuick: false }, AbortSignal.timeout(20_000));
    expect(verified.differences).toEqual([]);
  });
});

/** Of a mount that is gone. */
function closeQuietly(fd: number): void {
  try {
    closeSync(fd);
  } catch {
    // As it must be.
  }
}

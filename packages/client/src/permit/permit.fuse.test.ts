import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  ftruncateSync,
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
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { lremovexattr, lsetxattr, mknod } from "@izo/sys";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { LoopbackServer } from "../testing/loopback-server.ts";
import { type MountInProcess, mountInProcess } from "../testing/mount-in-process.ts";
import type { PermitMode } from "./permit-mode.ts";

const READ_ONLY = expect.objectContaining({ code: "EROFS" });

let cleanup: AsyncDisposableStack;
let base = "";
let server: LoopbackServer;

/** The server, and places for mounts. */
async function serve(permitTermMs?: number): Promise<void> {
  server = cleanup.use(
    await LoopbackServer.start(permitTermMs === undefined ? {} : { permitTermMs }),
  );
  mkdirSync(join(server.dir, "inside"));
  for (const name of ["mount", "second", "third"]) mkdirSync(join(base, name));
  for (const name of ["file", "inside/file"]) writeFileSync(join(server.dir, name), "as it was");
}

beforeEach(() => {
  cleanup = new AsyncDisposableStack();
  base = mkdtempSync(join(tmpdir(), "izo-permit-"));
  cleanup.defer(() => rmSync(base, { recursive: true, force: true }));
});

afterEach(() => cleanup.disposeAsync());

const soon = (): AbortSignal => AbortSignal.timeout(20_000);

async function mount(name: string, permitMode: PermitMode): Promise<MountInProcess> {
  const places = {
    url: server.url,
    mountPoint: join(base, name),
    cacheDir: join(base, `${name}.cache`),
  };
  const mounted = cleanup.use(await mountInProcess({ ...places, permitMode }));
  await expect.poll(() => readdirSync(join(base, name)).toSorted()).toEqual(["file", "inside"]);
  return mounted;
}

/** How a change ends: with the code of its error, or undefined when it is done. */
function codeOf(change: () => unknown): unknown {
  try {
    change();
    return undefined;
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : error;
  }
}

const path = (name: string): string => join(base, "mount", name);

describe("a mount that requires a permit", () => {
  test("refuses every change without it, and none of what is read", async () => {
    await serve();
    const { control } = await mount("mount", "required");
    await control.takePermit("/", soon());
    mkdirSync(path("empty"));
    writeFileSync(path("other"), "other");
    lsetxattr(path("file"), "user.colour", Buffer.from("red"));
    await control.releasePermit("/", soon());

    const changes: Record<string, () => unknown> = {
      create: () => writeFileSync(path("new"), "new"),
      append: () => closeSync(openSync(path("file"), "a")),
      overwrite: () => closeSync(openSync(path("file"), "w")),
      "read and write": () => closeSync(openSync(path("file"), "r+")),
      truncate: () => truncateSync(path("file"), 1),
      mkdir: () => mkdirSync(path("made")),
      mknod: () => mknod(path("fifo"), 0o010644),
      symlink: () => symlinkSync("file", path("symlink")),
      link: () => linkSync(path("file"), path("link")),
      rename: () => renameSync(path("file"), path("renamed")),
      "rename over": () => renameSync(path("file"), path("other")),
      unlink: () => unlinkSync(path("file")),
      rmdir: () => rmdirSync(path("empty")),
      chmod: () => chmodSync(path("file"), 0o600),
      "chmod of the root": () => chmodSync(path(""), 0o700),
      chown: () => chownSync(path("file"), 5, 6),
      utimes: () => utimesSync(path("file"), 1, 2),
      setxattr: () => lsetxattr(path("file"), "user.colour", Buffer.from("blue")),
      removexattr: () => lremovexattr(path("file"), Buffer.from("user.colour")),
    };
    const codes = Object.entries(changes).map(([name, change]) => [name, codeOf(change)]);
    const refused = Object.keys(changes).map((name) => [name, "EROFS"]);
    expect(codes).toEqual(refused);
    expect(readFileSync(path("file"), "utf8")).toBe("as it was");
    expect(readdirSync(path("")).toSorted()).toEqual(["empty", "file", "inside", "other"]);
    expect(statSync(path("inside")).isDirectory()).toBe(true);
    expect((await control.status()).pending).toBe(0);
  });

  test("changes what lies below the directory of its permit, and nothing beside it", async () => {
    await serve();
    const { control } = await mount("mount", "required");
    await control.takePermit("/inside", soon());
    writeFileSync(path("inside/file"), "changed");
    mkdirSync(path("inside/new"));
    writeFileSync(path("inside/new/deep"), "made");
    chmodSync(path("inside"), 0o750);
    linkSync(path("file"), path("inside/linked"));
    for (const change of [
      () => writeFileSync(path("file"), "changed"),
      // One of its names lies outside.
      () => writeFileSync(path("inside/linked"), "changed"),
      () => renameSync(path("inside/file"), path("moved")),
      () => renameSync(path("file"), path("inside/moved")),
      () => renameSync(path("inside"), path("elsewhere")),
    ]) {
      expect(change).toThrow(READ_ONLY);
    }
    expect(readFileSync(path("file"), "utf8")).toBe("as it was");
    await expect(control.takePermit("/nowhere", soon())).rejects.toMatchObject({
      code: "unknown-directory",
    });
  });

  test("hands the permit over, with what was open finished and sent", async () => {
    await serve();
    const first = await mount("mount", "required");
    const second = await mount("second", "required");
    await first.control.takePermit("/", soon());
    const fd = openSync(path("file"), "w");
    writeSync(fd, "half ");
    const taken = second.control.takePermit("/", soon());
    const stateOf = async () => (await first.control.status()).permit.permits[0]?.state;
    await expect.poll(stateOf, { timeout: 20_000 }).toBe("returning");
    expect(() => writeFileSync(path("new"), "new")).toThrow(READ_ONLY);
    writeSync(fd, "and all");
    closeSync(fd);
    await taken;
    expect(readFileSync(join(base, "second", "file"), "utf8")).toBe("half and all");
    writeFileSync(join(base, "second", "file"), "of the second");
    expect(() => writeFileSync(path("file"), "of the first")).toThrow(READ_ONLY);
  });

  test("stops in the middle of a file when its lease is over, and keeps what was written", async () => {
    await serve(3_000);
    const { control } = await mount("mount", "required");
    await control.takePermit("/", soon());
    const fd = openSync(path("file"), "w");
    writeSync(fd, "under the permit");
    await server.kill();
    await expect
      .poll(async () => (await control.status()).permit.permits[0]?.state, { timeout: 20_000 })
      .toBe("lapsed");
    expect(() => writeSync(fd, "after it")).toThrow(READ_ONLY);
    expect(() => ftruncateSync(fd, 1)).toThrow(READ_ONLY);
    fsyncSync(fd);
    closeSync(fd);
    expect((await control.status()).pending).toBeGreaterThan(0);
    expect(() => mkdirSync(path("made"))).toThrow(READ_ONLY);

    await server.start();
    // Nobody else took it: the lease goes on.
    await control.takePermit("/", soon());
    mkdirSync(path("made"));
    await control.flush(soon());
    expect(readFileSync(join(server.dir, "file"), "utf8")).toBe("under the permit");
  });

  test("has its permit again after a crash, and gives it back when it is unmounted", async () => {
    await serve();
    const first = await mount("mount", "required");
    await first.control.takePermit("/inside", soon());
    await first.stop("SIGKILL");
    const second = await mount("mount", "required");
    const listed = async () =>
      (await second.control.status()).permit.permits.map(({ path: at, state }) => [at, state]);
    await expect.poll(listed, { timeout: 20_000 }).toEqual([["/inside", "held"]]);
    writeFileSync(path("inside/file"), "after the crash");
    await second.stop("SIGTERM");
    expect(readFileSync(join(server.dir, "inside/file"), "utf8")).toBe("after the crash");
    const third = await mount("third", "required");
    await third.control.takePermit("/", soon());
  });
});

test("a mount that takes over writes as soon as nobody has the permit", async () => {
  await serve();
  const first = await mount("mount", "required");
  await first.control.takePermit("/", soon());
  const second = await mount("second", "take-over");
  expect(() => mkdirSync(join(base, "second", "made"))).toThrow(READ_ONLY);
  await first.control.releasePermit("/", soon());
  const stateOf = async () => (await second.control.status()).permit.permits[0]?.state;
  await expect.poll(stateOf, { timeout: 20_000 }).toBe("held");
  mkdirSync(join(base, "second", "made"));
});

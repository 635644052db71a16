/**
 * A mount of an ordinary user, through fusermount3, of a server that root runs. Each test begins with what the
 * one before has left, as starting all of it anew takes seconds.
 */
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { isRunning } from "@izo/sys";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

import { izoJson, tryIzo } from "../hosts/cli.ts";
import type { MountProcess } from "../hosts/mount-process.ts";
import { type PlainUser, plainUser } from "../hosts/plain-user.ts";
import { mountPowerDisk, type PowerDisk } from "../hosts/power-disk.ts";
import { runCommand } from "../hosts/run-command.ts";
import type { ServerProcess } from "../hosts/server-process.ts";
import { createWorld, type World } from "../hosts/world.ts";

/** Of the disk on which the user's cache lies. */
const DISK_MIB = 512;

let cleanUp: AsyncDisposableStack;
let world: World;
let server: ServerProcess;
let user: PlainUser;
let mount: MountProcess;
let disk: PowerDisk;

beforeAll(async () => {
  cleanUp = new AsyncDisposableStack();
  world = cleanUp.use(await createWorld());
  await fillExport();
  server = await world.serve();
  user = cleanUp.use(plainUser(world.directory));
  disk = await mountPowerDisk(inHome(""), DISK_MIB);
  mount = await mountAgain();
});

afterAll(() => cleanUp.disposeAsync());

const exported = (name: string): string => join(world.exportDir, name);
const inHome = (name: string): string => join(world.directory, "user", name);
const asUser = (command: readonly string[]) => world.client1.inside(user.as(command));
const must = (script: string) => user.must(`cd '${mount.mountPoint}' && ${script}`);

/** What a script says that the mount does not let it do. */
async function refused(script: string): Promise<string> {
  const { status, stderr } = await user.run(`cd '${mount.mountPoint}' && ${script}`);
  expect(status).not.toBe(0);
  return stderr;
}

async function mountAgain(): Promise<MountProcess> {
  return cleanUp.use(await user.mount(world.client1, server.url));
}

/** Files of root and of somebody, some of which their owner could not read. */
async function fillExport(): Promise<void> {
  const files = { plain: 0o644, readonly: 0o444, closed: 0o000, of1234: 0o600 };
  for (const [name, mode] of Object.entries(files)) {
    writeFileSync(exported(name), `${name}\n`);
    chmodSync(exported(name), mode);
  }
  chownSync(exported("of1234"), 1234, 1235);
  mkdirSync(exported("sealed"));
  writeFileSync(exported("sealed/inside"), "inside\n");
  chmodSync(exported("sealed"), 0o555);
  symlinkSync("plain", exported("link"));
  await runCommand(["mkfifo", "-m", "640", exported("fifo")]);
  await runCommand(["mknod", "-m", "666", exported("null"), "c", "1", "3"]);
}

function ownerOf(name: string): string {
  const { uid, gid } = lstatSync(exported(name));
  return `${uid}:${gid}`;
}

test("shows everything as the user's, with the modes and kinds that it has", async () => {
  const listing = await must("stat -c '%n %A %u:%g' * sealed/inside");
  const owner = `${user.uid}:${user.uid}`;
  expect(listing.trim().split("\n").toSorted()).toEqual([
    `closed ---------- ${owner}`,
    `fifo prw-r----- ${owner}`,
    `link lrwxrwxrwx ${owner}`,
    `null crw-rw-rw- ${owner}`,
    `of1234 -rw------- ${owner}`,
    `plain -rw-r--r-- ${owner}`,
    `readonly -r--r--r-- ${owner}`,
    `sealed dr-xr-xr-x ${owner}`,
    `sealed/inside -rw-r--r-- ${owner}`,
  ]);
  // What listings say of kinds, without asking for attributes.
  expect(await must("find . -type l -o -type p -o -type c | sort")).toBe(
    "./fifo\n./link\n./null\n",
  );
  expect(await must("cat link readonly of1234 sealed/inside")).toBe(
    "plain\nreadonly\nof1234\ninside\n",
  );
});

test("holds to the modes, as on a disk where all is the user's", async () => {
  expect(await refused("cat closed")).toContain("Permission denied");
  expect(await refused("echo x >> readonly")).toContain("Permission denied");
  expect(await refused("touch sealed/new")).toContain("Permission denied");
  expect(await refused("chown 0 plain")).toContain("Operation not permitted");
  expect(await refused("chgrp 0 plain")).toContain("Operation not permitted");
  expect(await refused("mknod device c 1 3")).toContain("Operation not permitted");
  expect(await refused("cat null")).toContain("Permission denied");
  expect(await refused("setfattr -n user.izo -v 1 plain")).toContain("not supported");
  await must(`chown ${user.uid}:${user.uid} plain`);
});

test("what it does comes to the server, where owners stay", async () => {
  await must(
    "echo more >> plain && echo more >> of1234 && chmod u+w readonly && echo more >> readonly",
  );
  await must("mkdir made && echo new > made/file && chmod 640 made/file && ln -s file made/link");
  await must("mkfifo made/fifo && ln made/file made/other && setfattr -n user.note -v x made/file");
  await must("echo saved > made/.tmp && mv made/.tmp plain-saved && mv fifo made/moved && rm null");
  await must("chmod 755 sealed && rm sealed/inside");
  await mount.flush();
  expect(readFileSync(exported("plain"), "utf8")).toBe("plain\nmore\n");
  expect(readFileSync(exported("readonly"), "utf8")).toBe("readonly\nmore\n");
  expect([ownerOf("plain"), ownerOf("readonly"), ownerOf("sealed")]).toEqual(["0:0", "0:0", "0:0"]);
  expect(ownerOf("of1234")).toBe("1234:1235");
  expect(ownerOf("made/moved")).toBe("0:0");
  for (const name of ["made", "made/file", "made/link", "made/fifo", "plain-saved"]) {
    expect(ownerOf(name)).toBe(`${user.uid}:${user.uid}`);
  }
  expect(lstatSync(exported("made/link")).isSymbolicLink()).toBe(true);
  expect(lstatSync(exported("made/fifo")).isFIFO()).toBe(true);
  expect(lstatSync(exported("made/file")).nlink).toBe(2);
  expect(await runCommand(["getfattr", "-dm-", "--absolute-names", exported("made/file")])).toMatch(
    /\nuser\.note="x"\n\n$/,
  );
  expect(existsSync(exported("null"))).toBe(false);
  expect(existsSync(exported("sealed/inside"))).toBe(false);
});

test("[C7] programs of the user that watch are told of what others do", async () => {
  const program = `
    fs.watch("made", (_event, name) => name === "told" && process.exit());
    fs.writeFileSync("made/watching", "");
  `;
  const { mountPoint } = mount;
  const watching = user.run(
    `cd '${mountPoint}' && timeout 20 '${process.execPath}' -e '${program}'`,
  );
  await vi.waitFor(() => readFileSync(exported("made/watching")), { timeout: 15_000 });
  writeFileSync(exported("made/told"), "");
  expect(await watching).toMatchObject({ status: 0 });
  unlinkSync(exported("made/told"));
  unlinkSync(exported("made/watching"));
});

test("git works in it, and what comes from elsewhere is seen", async () => {
  const git = "git -c user.name=u -c user.email=u@localhost -c init.defaultBranch=main";
  await must(
    `${git} init -q origin && cd origin && echo 1 > a && ${git} add a && ${git} commit -qm 1`,
  );
  await must(`${git} clone -q origin work && cd work && echo 2 > a && ${git} commit -qam 2`);
  expect(await must("cd work && git status --porcelain && git log --format=%s")).toBe("2\n1\n");
  await mount.flush();
  chmodSync(exported("plain"), 0o600);
  writeFileSync(exported("work/b"), "from the server\n");
  await vi.waitFor(async () => expect(await must("cat work/b")).toBe("from the server\n"), {
    timeout: 20_000,
    interval: 100,
  });
  await vi.waitFor(async () => expect(await must("stat -c %a plain")).toBe("600\n"), {
    timeout: 20_000,
    interval: 100,
  });
});

test("works offline, and reintegrates later", async () => {
  await world.client1.cut();
  expect(await must("cat plain && echo offline > while-away && cat while-away")).toContain(
    "offline",
  );
  await world.client1.heal();
  await mount.flush();
  expect(readFileSync(exported("while-away"), "utf8")).toBe("offline\n");
});

test("after kill -9 the next mount has everything, and verifies", async () => {
  await must("echo durable > kept && sync kept && echo 1 > other && ln -s kept to-kept");
  const release = join(user.home, "release");
  const written = user.run(
    `exec 3>> '${mount.mountPoint}/open'; echo written >&3; until [ -e '${release}' ]; do sleep 0.1; done`,
  );
  await vi.waitFor(async () => expect(await must("cat open")).toBe("written\n"));
  await mount.kill();
  writeFileSync(release, "");
  await written;
  mount = await mountAgain();
  expect(await must("cat kept other open && readlink to-kept")).toBe("durable\n1\nwritten\nkept\n");
  await mount.flush();
  expect(readFileSync(exported("open"), "utf8")).toBe("written\n");
  const { status, stdout, stderr } = await tryIzo(["verify", mount.mountPoint], {
    prefix: user.as,
  });
  expect([status, stdout + stderr]).toEqual([0, expect.stringContaining("all agree")]);
});

test("[C6] after a power cut what was synced is there, and symlinks lead where they did", async () => {
  await must("ln -s synced lead && echo synced > synced && sync synced && echo loose > loose");
  await disk.cut(mount);
  await mount.kill();
  await user.must(`fusermount3 -u -z '${mount.mountPoint}'`);
  await disk.restart();
  // The file that stands for the symlink mostly has its name then, and no content.
  writeFileSync(inHome("cache/in-use"), "another start of the machine");
  mount = await mountAgain();
  expect(await must("cat synced lead && readlink lead")).toBe("synced\nsynced\nsynced\n");
  await mount.flush();
  expect(readlinkSync(exported("lead"))).toBe("synced");
  expect(readFileSync(exported("synced"), "utf8")).toBe("synced\n");
});

test("izo status says which driver it is, and why data goes through it", async () => {
  const status = JSON.stringify(
    await izoJson<unknown>(["status", mount.mountPoint], { prefix: user.as }),
  );
  expect(status).toMatch(/through fusermount3; no passthrough: it takes CAP_SYS_ADMIN/);
  expect(status).toContain('"hasPassthrough":false');
});

test("fusermount3 -u from outside ends the process well", async () => {
  const { pid } = mount;
  await user.must(`fusermount3 -u '${mount.mountPoint}'`);
  await vi.waitFor(() => expect(isRunning(pid)).toBe(false), { timeout: 20_000, interval: 50 });
  expect(existsSync(inHome("cache/in-use"))).toBe(false);
});

test("its cache is refused to root, and root's to the user, each with the reason", async () => {
  const mountPoint = inHome("mnt");
  const refusal = async (cacheDir: string, prefix?: PlainUser["as"]) => {
    const args = ["mount", server.url, mountPoint, "--cache", cacheDir];
    const inside = (command: readonly string[]) =>
      world.client1.inside(prefix === undefined ? command : prefix(command));
    return (await tryIzo(args, { prefix: inside })).stderr;
  };
  expect(await refusal(inHome("cache"))).toContain("a user without root's rights made it");
  const ofRoot = await world.mount("client2", "on-demand");
  await ofRoot.unmount();
  const { cacheDir } = ofRoot;
  expect(await refusal(cacheDir, user.as)).toMatch(/it belongs to another user|EACCES/);
  // Given to the user, it still has marks that only root can see.
  await runCommand(["chown", "-R", `${user.uid}`, join(world.directory, "client2")]);
  expect(await refusal(cacheDir, user.as)).toContain("a mount of root made it");
});

test("says what is missing without fusermount3, and without user_allow_other", async () => {
  const args = ["mount", server.url, inHome("mnt"), "--cache", inHome("cache")];
  const bare = (command: readonly string[]) => asUser(["env", "PATH=/nowhere", ...command]);
  const missing = await tryIzo(args, { prefix: bare });
  expect(missing.stderr).toMatch(/fusermount3.* is not installed\n.*apt-get install -y fuse3/);
  const allowsOthers = /^user_allow_other/m.test(readFileSync("/etc/fuse.conf", "utf8"));
  if (allowsOthers) return;
  const closed = await tryIzo([...args, "--allow-other"], { prefix: asUser });
  expect(closed.stderr).toMatch(/user_allow_other.*\n.*hint: see \/etc\/fuse.conf/);
});

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { expect, test } from "vitest";

import { izoCommand } from "../hosts/cli.ts";
import { runCommand } from "../hosts/run-command.ts";
import { makeWorkDirectory } from "../hosts/work-directory.ts";
import { createWorld } from "../hosts/world.ts";

const CLI = join(import.meta.dirname, "../../packages/cli");

test("the systemd units are sound, as instances of a path", async () => {
  using work = makeWorkDirectory();
  const instanceOf = (name: string): string => {
    const unit = join(work.path, `${name.replace("/", "-")}@srv-project.service`);
    copyFileSync(join(CLI, `systemd/${name}@.service`), unit);
    return unit;
  };
  const verify = async (manager: string, ...names: string[]): Promise<string> => {
    // It succeeds with warnings, which count here too; the manual pages are not installed.
    const command = ["systemd-analyze", "verify", manager, "--man=no", ...names.map(instanceOf)];
    // The manager of a user wants a directory of his at run time.
    const script = 'export XDG_RUNTIME_DIR="$0" && "$@" 2>&1';
    return await runCommand(["sh", "-c", script, work.path, ...command]);
  };
  expect(await verify("--system", "izo-serve", "izo-mount")).toBe("");
  expect(await verify("--user", "user/izo-mount")).toBe("");
});

/** Stands in systemd's place: prints each datagram on a line. Perl is part of every Debian. */
const MANAGER = `
  use Socket;
  socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die;
  bind($socket, pack_sockaddr_un($ARGV[0])) or die;
  $| = 1;
  print "bound\\n";
  while (defined recv($socket, my $message, 65536, 0)) { $message =~ s/\\n/ /g; print "$message\\n"; }
`;

/** Reads lines until one matches. */
async function until(lines: AsyncIterator<string>, pattern: RegExp): Promise<string> {
  for (;;) {
    const { value, done } = await lines.next();
    if (done === true) throw new Error(`Cannot find ${pattern}: the output has ended`);
    if (pattern.test(value)) return value;
  }
}

async function ended(child: ChildProcess): Promise<void> {
  child.kill();
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

test("izo serve tells systemd when it is ready, that it goes on, and when it stops", async () => {
  using work = makeWorkDirectory();
  const socket = join(work.path, "notify");
  const manager = spawn("perl", ["-e", MANAGER, socket], { stdio: ["ignore", "pipe", "inherit"] });
  const told = createInterface(manager.stdout)[Symbol.asyncIterator]();
  await until(told, /^bound$/);
  const directory = join(work.path, "export");
  mkdirSync(directory);
  const [file = "", ...args] = izoCommand();
  const server = spawn(file, [...args, "serve", directory, "--listen", "127.0.0.1:0"], {
    env: { ...process.env, NOTIFY_SOCKET: socket, WATCHDOG_USEC: "200000" },
    stdio: "ignore",
  });
  try {
    const ready = await until(told, /^READY=1 /);
    expect(ready).toContain(`MAINPID=${server.pid}`);
    expect(ready).toMatch(/STATUS=Serving .* at http:/);
    await until(told, /^WATCHDOG=1$/);
    server.kill("SIGTERM");
    await until(told, /^STOPPING=1$/);
    if (server.exitCode === null) await once(server, "exit");
    expect(server.exitCode).toBe(0);
  } finally {
    await ended(server);
    await ended(manager);
  }
});

test("mount -t izo mounts, by the helper that mount(8) looks for, and refuses what it cannot do", async () => {
  await using world = await createWorld();
  writeFileSync(join(world.exportDir, "greeting"), "hello\n");
  const server = await world.serve();
  const mountPoint = join(world.directory, "mnt");
  mkdirSync(mountPoint);
  const helper = join(world.directory, "mount.izo");
  const [node = "", ...conditions] = izoCommand().slice(0, -1);
  const program = join(CLI, "src/mount-helper.ts");
  writeFileSync(helper, `#!/bin/sh\nexec '${node}' ${conditions.join(" ")} '${program}' "$@"\n`);
  chmodSync(helper, 0o755);
  const script = join(world.directory, "script");
  // In a mount namespace of its own, where the helper can stand in /sbin without the machine seeing it.
  writeFileSync(
    script,
    `set -e
mkdir upper scratch
mount -t tmpfs none scratch
mkdir scratch/upper scratch/work
mount -t overlay overlay -o lowerdir=/usr/sbin,upperdir=scratch/upper,workdir=scratch/work /usr/sbin
cp mount.izo /usr/sbin/mount.izo
mount -t izo "$1" "$2" -o cache="$PWD/cache",mode=replica,_netdev,nofail
cat "$2/greeting"
umount "$2"
mount -t izo "$1" "$2" -o speed=10 2>&1 || echo "status $?"
`,
  );
  const command = ["unshare", "--mount", "sh", script, server.url, mountPoint];
  const inHost = world.client1.inside([
    "sh",
    "-c",
    'cd "$0" && exec "$@"',
    world.directory,
    ...command,
  ]);
  const output = await runCommand(inHost);
  expect(output).toMatch(/^hello\n/);
  expect(output).toContain('Cannot mount with "speed=10"');
  expect(output).toMatch(/status [1-9]\d*\n$/);
  expect(readFileSync(join(world.directory, "cache/mount.log"), "utf8")).toContain("unmounted");
});

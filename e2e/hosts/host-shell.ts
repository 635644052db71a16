/**
 * A shell on a host that has directories of its own: in a mount namespace, so that /srv or /etc/izo are
 * there what the test says, and what is mounted there is seen by that shell alone.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";

import type { NetworkHost } from "./network.ts";

export interface HostShell extends AsyncDisposable {
  /** Runs a script to its end, which must succeed; gives what it printed, on both streams. */
  run(script: string): Promise<string>;
  /** Starts a command that goes on; resolves with the first line that it prints. It ends with the shell. */
  start(command: string): Promise<string>;
}

export interface HostShellOptions {
  readonly host: NetworkHost;
  /** Stands behind the root of this host, for as far as `directories` go. */
  readonly root: string;
  /** Absolute paths that this host has for itself. */
  readonly directories: readonly string[];
  /** Files that this host has in place of the machine's: path and text. */
  readonly files: Readonly<Record<string, string>>;
  /** What every script begins with. */
  readonly prelude: string;
}

const SCRIPT_MS = 60_000;

/** Ends whatever was left in the namespace, a mount after a failed test among it, but for this shell. */
const END_ALL = `
  here=$(readlink /proc/$$/ns/mnt)
  for process in /proc/[0-9]*; do
    pid=\${process#/proc/}
    [ $pid = $$ ] || [ $pid = $BASHPID ] && continue
    [ "$(readlink $process/ns/mnt)" = "$here" ] && kill $pid || true
  done`;

export async function openHostShell(options: HostShellOptions): Promise<HostShell> {
  const { host, root, directories, files, prelude } = options;
  const binds: string[] = [];
  for (const directory of directories) {
    mkdirSync(join(root, directory), { recursive: true });
    binds.push(`mkdir -p ${directory} && mount --bind ${join(root, directory)} ${directory}`);
  }
  for (const [path, text] of Object.entries(files)) {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    binds.push(`mount --bind ${file} ${path}`);
  }
  const [program = "", ...args] = host.inside(["unshare", "--mount", "bash", "-s"]);
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  let marks = 0;

  /** Lines up to the mark that the script is followed by, and its exit status behind the mark. */
  async function run(script: string): Promise<string> {
    marks += 1;
    const mark = `izo-mark-${marks}`;
    child.stdin.write(
      `(set -e; ${prelude}\n${script}\n) 2>&1 < /dev/null; echo; echo "${mark} $?"\n`,
    );
    const printed: string[] = [];
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- lines come one after the other
      const { value, done } = await withTimeout(lines.next(), script);
      if (done === true) throw new Error(`Cannot run a script: its shell has ended\n${script}`);
      if (value.startsWith(`${mark} `)) {
        // The mark begins a line, whatever the script left.
        const output = printed.join("\n").replace(/\n$/, "");
        if (value !== `${mark} 0`)
          throw new Error(`Cannot run a script: ${value}\n${script}\n${output}`);
        return output;
      }
      printed.push(value);
    }
  }

  try {
    await run(["mount --make-rprivate /", ...binds].join("\n"));
  } catch (error) {
    await end(child);
    throw error;
  }
  return {
    run,
    async start(command) {
      const log = join(root, `started-${marks}`);
      return run(`
        nohup bash -c '${prelude.replaceAll("'", `'\\''`)}
          exec ${command.replaceAll("'", `'\\''`)}' > ${log} 2>&1 &
        until grep -q . ${log}; do kill -0 $! && sleep 0.05; done
        head -n 1 ${log}`);
    },
    async [Symbol.asyncDispose]() {
      await run(END_ALL);
      await end(child);
    },
  };
}

/** What waits for the shell's end goes on without it: the namespace ends with its last process. */
async function end(child: ChildProcess): Promise<void> {
  child.stdin?.end();
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}

async function withTimeout<T>(promise: Promise<T>, script: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new Error(`Cannot wait longer for a script: ${SCRIPT_MS / 1000} s are over\n${script}`));
  }, SCRIPT_MS);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

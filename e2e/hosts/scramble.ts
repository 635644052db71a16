/**
 * A program that does all kinds of things to a few names, as fast as it goes: files, links, directories, saves,
 * moves over one another, exchanges. Run several of them in one tree, on several machines, nearly every operation
 * meets one of somebody else. Names that are gone or taken are no faults; it says which other errors it has met.
 *
 * Run in a process of its own: what it works on can be a mount that hangs. It prints one line of JSON.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fsyncSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { AT_FDCWD, lsetxattr, mknod, renameat2 } from "@izo/sys";

import { randomFrom } from "./random-from.ts";

export interface ScrambleOptions {
  readonly directory: string;
  /** Part of the names of its temporary files: each program has its own. */
  readonly author: string;
  readonly seconds: number;
  readonly seed: number;
  /** Between two operations. */
  readonly pauseMs?: number;
}

export interface Scrambled {
  readonly operations: number;
  /** Those that were done. */
  readonly done: number;
  /** Errors that no other program's change explains, a line each. */
  readonly faults: readonly string[];
}

/** What a name can be by now, or not be. */
const EXPLAINED: ReadonlySet<unknown> = new Set(
  "ENOENT ENOTDIR EISDIR EEXIST ENOTEMPTY ELOOP ENXIO EINVAL EPERM ESPIPE EAGAIN".split(" "),
);

/** Node has no name for ESTALE: its errors say the number alone. */
const ESTALE = -116;

/** At most as many faults are told. */
const MOST_FAULTS = 10;

function opened(path: string, flags: number, work: (fd: number) => void): void {
  // Whoever opens a FIFO without this waits for another.
  const fd = openSync(path, flags | constants.O_NONBLOCK, 0o644);
  try {
    work(fd);
  } finally {
    closeSync(fd);
  }
}

export async function scramble(options: ScrambleOptions): Promise<Scrambled> {
  const { directory, author, seconds, seed, pauseMs = 0 } = options;
  const random = randomFrom(seed);
  const below = (count: number): number => Math.floor(random() * count);
  const directoryName = (): string => `d${below(4)}`;
  /** Up to three levels, and few names on each. */
  const anyPath = (last = `${"dffls"[below(5)]}${below(6)}`): string =>
    join(directory, ...Array.from({ length: below(3) }, directoryName), last);
  const content = (): Buffer => Buffer.alloc(1 + below(20_000), `${author} ${below(1_000_000)}\n`);
  const { O_APPEND, O_CREAT, O_EXCL, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } = constants;

  const operations: readonly (() => void)[] = [
    () =>
      opened(anyPath(), O_CREAT | O_RDWR | (below(2) ? O_EXCL : 0), (fd) =>
        writeSync(fd, content()),
      ),
    () => opened(anyPath(), O_RDWR, (fd) => writeSync(fd, content(), 0, null, below(30_000))),
    () => opened(anyPath(), O_WRONLY | O_TRUNC, (fd) => writeSync(fd, content())),
    () => opened(anyPath(), O_APPEND | O_WRONLY, (fd) => writeSync(fd, content())),
    () => truncateSync(anyPath(`f${below(6)}`), below(20_000)),
    () => {
      const path = anyPath();
      const temporary = `${path}.tmp-${author}`;
      opened(temporary, O_CREAT | O_EXCL | O_WRONLY, (fd) => {
        writeSync(fd, content());
        if (below(3) === 0) fsyncSync(fd);
      });
      try {
        renameSync(temporary, path);
      } catch (error) {
        unlinkSync(temporary);
        throw error;
      }
    },
    () => {
      const path = anyPath();
      opened(path, O_RDWR, (fd) => {
        unlinkSync(path);
        writeSync(fd, content());
        ftruncateSync(fd, 100);
      });
    },
    () => mkdirSync(anyPath(`d${below(6)}`)),
    () => rmdirSync(anyPath(`d${below(6)}`)),
    () => renameSync(anyPath(), anyPath()),
    () => renameSync(anyPath(directoryName()), anyPath(directoryName())),
    () => renameat2(AT_FDCWD, anyPath(), AT_FDCWD, anyPath(), { exchange: true }),
    () => linkSync(anyPath(), anyPath()),
    () => unlinkSync(anyPath()),
    () => symlinkSync(`d${below(4)}/f${below(6)}`, anyPath()),
    () => mknod(anyPath(), 0o010000 | 0o644),
    () => chmodSync(anyPath(), 0o700 + below(0o100)),
    () => lchownSync(anyPath(), below(3) * 1000, below(3) * 1000),
    () => lsetxattr(anyPath(), `user.k${below(3)}`, content().subarray(0, 100)),
    () => utimesSync(anyPath(), below(2_000_000_000), below(2_000_000_000)),
    () => void lstatSync(anyPath()),
    () => opened(anyPath(), O_RDONLY, (fd) => readSync(fd, Buffer.alloc(30_000))),
    () => {
      const path = anyPath(directoryName());
      for (const name of readdirSync(path)) lstatSync(join(path, name));
    },
  ];

  const faults: string[] = [];
  const endMs = performance.now() + seconds * 1000;
  let tried = 0;
  let done = 0;
  for (; performance.now() < endMs; tried += 1) {
    try {
      operations[below(operations.length)]!();
      done += 1;
    } catch (error) {
      const { code, errno } = error as { readonly code?: unknown; readonly errno?: unknown };
      const isExplained = EXPLAINED.has(code) || errno === ESTALE;
      if (!isExplained && faults.length < MOST_FAULTS) faults.push(String(error));
    }
    // oxlint-disable-next-line no-await-in-loop -- a pause is one
    if (pauseMs > 0) await delay(pauseMs);
  }
  return { operations: tried, done, faults };
}

if (process.argv[1] === import.meta.filename) {
  const options = JSON.parse(process.argv[2] ?? "{}") as ScrambleOptions;
  process.umask(0);
  console.log(JSON.stringify(await scramble(options)));
}

/**
 * File operations as programs do them, timed one by one in a directory. Each is asked for by name, so that
 * the same one can be done in several directories in turn: a busy moment of the machine meets all.
 */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

/** A kind of operation. */
export interface Operation {
  readonly name: string;
  /** How many times the local directory's time it may take: what this project aims at. */
  readonly atMost: number;
  /** How often it is done in one measurement. */
  readonly count: number;
  /** What it needs and what is not timed. */
  readonly prepare?: (place: Place) => void;
  readonly run: (place: Place, index: number) => void;
}

/** Where, and in which round: each round has files of its own. */
export interface Place {
  readonly directory: string;
  readonly round: number;
}

const FILES = 300;
const NAMES = 2000;
const KIB = 1024;
const MIB = KIB * KIB;
const LARGE_BYTES = 64 * MIB;

const kibibyte = Buffer.alloc(KIB, "x");
const page = Buffer.alloc(4 * KIB, "p");
const block = Buffer.alloc(MIB, "b");

function file({ directory, round }: Place, index: number, suffix = ""): string {
  return join(directory, `file-${round}-${index}${suffix}`);
}

function write(path: string, flags: string): void {
  const fd = openSync(path, flags);
  writeSync(fd, kibibyte);
  closeSync(fd);
}

function read(path: string): void {
  const fd = openSync(path, "r");
  readSync(fd, page);
  closeSync(fd);
}

/** One file that is open from the first operation on it to the last, of the same size everywhere. */
const large = new Map<string, number>();

function largeFile({ directory }: Place): number {
  const path = join(directory, "large");
  let fd = large.get(path);
  if (fd === undefined) {
    fd = openSync(path, "w+");
    for (let at = 0; at < LARGE_BYTES; at += MIB) writeSync(fd, block, 0, MIB, at);
    fsyncSync(fd);
    large.set(path, fd);
  }
  return fd;
}

/** Numerical Recipes' generator: the same places in every run. */
function offset(index: number, size: number): number {
  const random = (Math.imul(index + 1, 1_664_525) + 1_013_904_223) >>> 0;
  return (random % (LARGE_BYTES / size)) * size;
}

function many({ directory }: Place): string {
  const path = join(directory, "many");
  try {
    mkdirSync(path);
    for (let index = 0; index < NAMES; index += 1) writeFileSync(join(path, `name-${index}`), "");
  } catch {
    // It was made in an earlier round.
  }
  return path;
}

/** In this order: each finds what the ones before have left. */
export const OPERATIONS: readonly Operation[] = [
  {
    name: "create + write 1 KiB + close",
    atMost: 3,
    count: FILES,
    run: (place, index) => write(file(place, index), "wx"),
  },
  {
    name: "stat, first after the own write",
    atMost: 8,
    count: FILES,
    prepare: (place) => {
      for (let index = 0; index < FILES; index += 1) write(file(place, index), "r+");
    },
    run: (place, index) => statSync(file(place, index)),
  },
  {
    name: "stat again",
    atMost: 1.3,
    count: FILES,
    run: (place, index) => statSync(file(place, index)),
  },
  {
    name: "open + read + close, first",
    atMost: 4,
    count: FILES,
    run: (place, index) => read(file(place, index)),
  },
  {
    name: "open + read + close again",
    atMost: 3.5,
    count: FILES,
    run: (place, index) => read(file(place, index)),
  },
  {
    name: "list 2,000 names, first",
    atMost: 4,
    count: 1,
    // What is new is not in the listing that the kernel keeps.
    prepare: (place) => writeFileSync(join(many(place), `new-${place.round}`), ""),
    run: (place) => readdirSync(join(place.directory, "many")),
  },
  {
    name: "list 2,000 names again",
    atMost: 2,
    count: 10,
    run: (place) => readdirSync(join(place.directory, "many")),
  },
  {
    name: "atomic save of 1 KiB",
    atMost: 2.5,
    count: FILES,
    run: (place, index) => {
      write(file(place, index, ".tmp"), "wx");
      renameSync(file(place, index, ".tmp"), file(place, index));
    },
  },
  {
    name: "rename",
    atMost: 3,
    count: FILES,
    run: (place, index) => renameSync(file(place, index), file(place, index, ".new")),
  },
  {
    name: "unlink",
    atMost: 3.5,
    count: FILES,
    run: (place, index) => unlinkSync(file(place, index, ".new")),
  },
  {
    name: "read 4 KiB anywhere",
    atMost: 1.3,
    count: 5000,
    prepare: (place) => void largeFile(place),
    run: (place, index) => readSync(largeFile(place), page, 0, page.length, offset(index, 4 * KIB)),
  },
  {
    name: "write 4 KiB anywhere",
    atMost: 1.3,
    count: 2000,
    prepare: (place) => void largeFile(place),
    run: (place, index) =>
      writeSync(largeFile(place), page, 0, page.length, offset(index, 4 * KIB)),
  },
  {
    name: "read 1 MiB",
    atMost: 1.3,
    count: 64,
    prepare: (place) => void largeFile(place),
    run: (place, index) => readSync(largeFile(place), block, 0, MIB, index * MIB),
  },
  {
    name: "write 1 MiB",
    atMost: 1.3,
    count: 64,
    prepare: (place) => void largeFile(place),
    run: (place, index) => writeSync(largeFile(place), block, 0, MIB, index * MIB),
  },
];

/** Microseconds for one of them, on the average of {@link Operation.count}. */
export function measure({ count, run }: Operation, place: Place): number {
  const startMs = performance.now();
  for (let index = 0; index < count; index += 1) run(place, index);
  return ((performance.now() - startMs) * 1000) / count;
}

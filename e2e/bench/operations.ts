/**
 * File operations as programs do them, timed one by one on a directory; run as a program it prints
 * microseconds per operation, or MiB/s, as JSON. It runs in a process of its own because the directory
 * may be a mount.
 */
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

/** What an operation cost. */
export interface Measurement {
  readonly name: string;
  readonly value: number;
  readonly unit: "us" | "MiB/s";
}

const FILES = 2000;
const KIB = 1024;
const MIB = KIB * KIB;
const LARGE_BYTES = 256 * MIB;
const SMALL_WRITE_BYTES = 32 * MIB;
const RANDOM_READS = 10_000;

/** Every operation once around; each leaves what the next needs. */
export function* measureOperations(directory: string): Generator<Measurement> {
  mkdirSync(directory);
  const file = (number: number): string => join(directory, `file-${number}`);
  const kibibyte = Buffer.alloc(KIB, "x");
  yield each("create 1 KiB", FILES, (n) => writeFileSync(file(n), kibibyte));
  yield each("stat", FILES, (n) => statSync(file(n)));
  yield each("open + read + close", FILES, (n) => readFileSync(file(n)));
  yield each("list 2,000 entries", 20, () => readdirSync(directory));
  yield each("atomic save", 500, (n) => {
    writeFileSync(`${file(n)}.tmp`, kibibyte);
    renameSync(`${file(n)}.tmp`, file(n));
  });
  yield each("rename", 1000, (n) => renameSync(file(n), join(directory, `renamed-${n}`)));
  yield each("unlink", 1000, (n) => unlinkSync(join(directory, `renamed-${n}`)));

  const large = join(directory, "large");
  const block = Buffer.alloc(MIB, "y");
  yield throughput("write 256 MiB by 1 MiB", LARGE_BYTES, () =>
    writeWhole(large, block, LARGE_BYTES),
  );
  yield throughput("read 256 MiB by 1 MiB", LARGE_BYTES, () => readWhole(large, block));
  yield randomReads(large);
  const page = Buffer.alloc(4 * KIB, "z");
  const pages = join(directory, "pages");
  yield each("write 4 KiB", SMALL_WRITE_BYTES / page.length, writer(pages, page));
  rmSync(directory, { recursive: true });
}

function each(name: string, count: number, operate: (number: number) => unknown): Measurement {
  const startMs = performance.now();
  for (let number = 0; number < count; number++) operate(number);
  return { name, value: ((performance.now() - startMs) * 1000) / count, unit: "us" };
}

function throughput(name: string, bytes: number, operate: () => void): Measurement {
  const startMs = performance.now();
  operate();
  return { name, value: bytes / MIB / ((performance.now() - startMs) / 1000), unit: "MiB/s" };
}

function writeWhole(path: string, block: Uint8Array, bytes: number): void {
  const fd = openSync(path, "w");
  for (let written = 0; written < bytes; written += block.length) writeSync(fd, block);
  closeSync(fd);
}

function readWhole(path: string, block: Uint8Array): void {
  const fd = openSync(path, "r");
  while (readSync(fd, block) > 0);
  closeSync(fd);
}

function randomReads(path: string): Measurement {
  const page = Buffer.alloc(4 * KIB);
  const fd = openSync(path, "r");
  let state = 12_345;
  const measurement = each("random read 4 KiB", RANDOM_READS, () => {
    // Numerical Recipes' generator: the same places in every run.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    readSync(fd, page, 0, page.length, (state % (LARGE_BYTES / page.length)) * page.length);
  });
  closeSync(fd);
  return measurement;
}

/** Writes one page after the other; the descriptor is closed with the process. */
function writer(path: string, page: Uint8Array): () => void {
  const fd = openSync(path, "w");
  return () => void writeSync(fd, page);
}

if (process.argv[1] === import.meta.filename) {
  const measurements = [...measureOperations(process.argv[2] ?? "bench")];
  process.stdout.write(JSON.stringify(measurements));
}

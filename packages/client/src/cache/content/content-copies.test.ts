import {
  closeSync,
  fstatSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { hashDescriptor } from "../../sync/seal/hash-file.ts";
import { ContentCopies } from "./content-copies.ts";

const MIB = 1024 * 1024;

let directory: string;
let fd: number;
let copies: ContentCopies;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "izo-copies-"));
  fd = openSync(join(directory, "file"), "wx+");
  copies = new ContentCopies(join(directory, "copies"));
});

afterEach(() => {
  closeSync(fd);
  rmSync(directory, { recursive: true });
});

test("ContentCopies.make() copies what is written, and leaves holes", async () => {
  const places = [0, 5 * MIB, 100 * MIB - 3];
  for (const place of places) writeSync(fd, "data", place);
  ftruncateSync(fd, 200 * MIB);
  using copy = await copies.make(fd);
  expect(hashDescriptor(copy.fd)).toBe(hashDescriptor(fd));
  const { size, blocks } = fstatSync(copy.fd);
  expect(size).toBe(200 * MIB);
  expect(blocks * 512).toBeLessThan(MIB);
});

test("ContentCopies.make() copies a file of terabytes in which there is little at once", async () => {
  const size = 4 * 1024 * 1024 * MIB;
  ftruncateSync(fd, size);
  writeSync(fd, "end", size - 3);
  using copy = await copies.make(fd);
  const end = Buffer.alloc(10);
  expect(readSync(copy.fd, end, 0, 10, size - 3)).toBe(3);
  expect(end.toString("latin1", 0, 3)).toBe("end");
  expect(fstatSync(copy.fd).size).toBe(size);
});

test("ContentCopies.make() copies a large file without holes", async () => {
  const piece = Buffer.alloc(MIB, "0123456789");
  for (let at = 0; at < 40; at++) writeSync(fd, piece, 0, piece.length, at * MIB + 7);
  using copy = await copies.make(fd);
  expect(hashDescriptor(copy.fd)).toBe(hashDescriptor(fd));
});

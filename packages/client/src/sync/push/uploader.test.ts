import {
  closeSync,
  fstatSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";

import type { CloseOperation, PeerId, Recno, Sha256 } from "@izo/core";
import { afterEach, beforeEach, expect, test } from "vitest";

import type { Remote } from "../remote.ts";
import { ContentShortError } from "./content-bytes.ts";
import type { OwnContents, SealedClose } from "./own-contents.ts";
import { Uploader } from "./uploader.ts";

const SIZE_BYTES = 3 * 1024 * 1024;

let directory: string;
let path: string;
let fd: number;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "izo-upload-"));
  path = join(directory, "file");
  writeFileSync(path, Buffer.alloc(SIZE_BYTES, "x"));
  fd = openSync(path, "r");
});

afterEach(() => {
  closeSync(fd);
  rmSync(directory, { recursive: true });
});

function uploaderTo(
  upload: Remote["upload"],
  onFailed: (error: unknown) => void = () => {},
): Uploader {
  const contents = { open: () => ({ fd, [Symbol.dispose]: () => {} }) };
  return new Uploader({
    remote: { upload },
    contents: contents as unknown as OwnContents,
    peer: () => "1".repeat(32) as PeerId,
    onUploaded: () => {},
    onFailed,
  });
}

const close = {
  recno: 1 as Recno,
  operation: { sha256: "0".repeat(64) as Sha256, sizeBytes: SIZE_BYTES } as CloseOperation,
} as SealedClose;

const never = new AbortController().signal;

test("Uploader closes a file once, when an upload breaks off too: its number may be another's by then", async () => {
  const uploader = uploaderTo(async (_sha256, _sizeBytes, source) => {
    const body = Readable.from(source(0));
    await body[Symbol.asyncIterator]().next();
    body.destroy();
    throw new Error("the connection broke");
  });
  await expect(uploader.upload(close, never)).rejects.toThrow("the connection broke");
  // The file was not closed by anybody but its owner, also not later.
  // oxlint-disable-next-line no-await-in-loop -- what a thread would do meanwhile comes before these
  for (let turn = 0; turn < 20; turn += 1) await stat(path);
  expect(fstatSync(fd).size).toBe(SIZE_BYTES);
});

test("Uploader has no read under way when it lets the file go", async () => {
  let bytes: AsyncIterator<Uint8Array> | undefined;
  let isRead = false;
  const uploader = uploaderTo(async (_sha256, _sizeBytes, source) => {
    bytes = source(0)[Symbol.asyncIterator]();
    void bytes.next().then(() => (isRead = true));
    throw new Error("the connection broke");
  });
  await expect(uploader.upload(close, never)).rejects.toThrow("the connection broke");
  expect(isRead).toBe(true);
  await expect(bytes!.next()).rejects.toThrow("whose upload has ended");
});

test("Uploader takes a file that has become shorter for another content, and not for a broken network", async () => {
  truncateSync(path, 1024);
  const uploader = uploaderTo(async (_sha256, _sizeBytes, source) => {
    await Readable.from(source(0)).toArray();
  });
  expect(await uploader.upload(close, never)).toBe(false);
  expect(uploader.hasChanged(close)).toBe(true);
});

test("Uploader knows of each CLOSE whether its file has changed, whatever other files hold the same", async () => {
  let fails = true;
  const uploader = uploaderTo(() =>
    fails ? Promise.reject(new ContentShortError("It is short")) : Promise.resolve(),
  );
  const other = { ...close, recno: 2 as Recno };
  expect(await uploader.upload(close, never)).toBe(false);
  expect([uploader.hasChanged(close), uploader.hasChanged(other)]).toEqual([true, false]);
  fails = false;
  expect(await uploader.upload(other, never)).toBe(true);
  // The server has it: nobody has to have it here.
  expect([uploader.hasChanged(close), uploader.hasChanged(other)]).toEqual([false, false]);
});

test("Uploader looks once more at a file that was sealed while its content was being sent", async () => {
  const { promise, reject } = Promise.withResolvers<void>();
  const uploader = uploaderTo(() => promise);
  expect(uploader.isThere(close, never)).toBe(false);
  uploader.noteSealed(close.operation.sha256);
  reject(new ContentShortError("It was short"));
  await uploader.settle();
  expect(uploader.hasChanged(close)).toBe(false);
});

test("Uploader reports a failure, and not that it was told to end", async () => {
  const errors: unknown[] = [];
  const uploader = uploaderTo(
    () => Promise.reject(new Error("the connection broke")),
    (error) => errors.push(error),
  );
  const ended = new AbortController();
  uploader.isThere(close, ended.signal);
  ended.abort();
  await uploader.settle();
  expect(errors).toEqual([]);
  uploader.isThere(close, never);
  await uploader.settle();
  expect(errors).toEqual([new Error("the connection broke")]);
});

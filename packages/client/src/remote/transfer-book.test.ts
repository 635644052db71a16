import type { Sha256 } from "@izo/core";
import { expect, test } from "vitest";

import { TransferBook } from "./transfer-book.ts";

const SHA256 = "ab".repeat(32) as Sha256;

async function* pieces(): AsyncGenerator<Uint8Array, void> {
  yield new Uint8Array(10);
  yield new Uint8Array(20);
}

test("count() shows a transfer while it runs, from where it went on, and sums up", async () => {
  const book = new TransferBook(() => 5);
  const what = { direction: "in", sha256: SHA256, totalBytes: 100 } as const;
  const bytes = book.count(what, 70, pieces());
  await bytes.next();
  expect(book.list()).toEqual([{ ...what, doneBytes: 80, sinceMs: 5 }]);
  await bytes.next();
  await bytes.next();
  expect(book.list()).toEqual([]);
  expect(book.totals()).toEqual({ receivedBytes: 30, sentBytes: 0 });
});

test("list() shows a content that comes in several streams as one transfer", async () => {
  const book = new TransferBook(() => 5);
  const what = { direction: "in", sha256: SHA256, totalBytes: 100 } as const;
  let present = 40;
  const streams = [0, 70].map((offset) => book.count(what, offset, pieces(), () => present));
  await Promise.all(streams.map((stream) => stream.next()));
  present = 60;
  expect(book.list()).toEqual([{ ...what, doneBytes: 60, sinceMs: 5 }]);
  await streams[0]!.return();
  expect(book.list()).toEqual([{ ...what, doneBytes: 60, sinceMs: 5 }]);
});

test("count() lets go of a transfer that its reader gave up", async () => {
  const book = new TransferBook(() => 5);
  const bytes = book.count({ direction: "out", sha256: SHA256, totalBytes: 30 }, 0, pieces());
  await bytes.next();
  await bytes.return();
  expect(book.list()).toEqual([]);
  expect(book.totals()).toEqual({ receivedBytes: 0, sentBytes: 10 });
});

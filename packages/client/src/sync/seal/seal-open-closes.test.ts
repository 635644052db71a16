import { EMPTY_SHA256 } from "@izo/core";
import { afterEach, beforeEach, expect, test } from "vitest";

import { TestCache } from "../../testing/test-cache.ts";
import { hashDescriptor, SMALL_FILE_BYTES } from "./hash-file.ts";
import { HugeCloses } from "./huge-closes.ts";
import {
  HUGE_FILE_BYTES,
  type OpenFile,
  sealClose,
  sealOpenCloses,
  type SealingOptions,
} from "./seal-open-closes.ts";

let cache: TestCache;
const { signal } = new AbortController();

beforeEach(async () => {
  cache = await TestCache.open();
});

afterEach(() => cache[Symbol.asyncDispose]());

/** Seals once; `meanwhile` happens while files are being settled. */
async function seal(meanwhile = async (): Promise<void> => {}): Promise<number[][]> {
  const groups: number[][] = [];
  const options = sealing(async (files) => {
    groups.push(files.map(({ sizeBytes }) => sizeBytes));
    await meanwhile();
    return files.map(({ fd, sizeBytes }) =>
      sizeBytes === 13 ? new Error("cannot be read") : hashDescriptor(fd),
    );
  });
  const huge = new HugeCloses((close) => sealClose(options, close, signal));
  await sealOpenCloses({ ...options, huge }, signal);
  await huge.settled();
  return groups;
}

function sealing(settle: SealingOptions["settle"]): SealingOptions {
  const { replica, local, problems } = cache;
  return {
    replica,
    cache: local.content,
    settle,
    quiet: { waitForBurst: () => Promise.resolve() },
    show: () => {},
    onWritten: () => {},
    onProblem: (error: unknown) => void problems.push(error),
  };
}

/** Hashes all but huge files, and one of those when it is told to. */
function slowForHuge(): {
  settle: SealingOptions["settle"];
  begun: Promise<void>;
  end: () => void;
} {
  const begin = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  const settle = async (files: readonly OpenFile[]) => {
    if (!files.some(({ sizeBytes }) => sizeBytes >= HUGE_FILE_BYTES))
      return files.map(({ fd }) => hashDescriptor(fd));
    begin.resolve();
    await end.promise;
    return files.map(() => EMPTY_SHA256);
  };
  return { settle, begun: begin.promise, end: () => end.resolve() };
}

/** Makes a sparse file. */
async function makeHuge(path: string, moreBytes = 0): Promise<void> {
  const [fd, node] = await cache.openForWriting(path);
  cache.writeTo(node, fd, "end", HUGE_FILE_BYTES + moreBytes);
  cache.fs.flush(node, fd);
  cache.fs.release(node, fd);
}

function openPaths(): unknown[] {
  return cache.replica.unsealed().map(({ operation }) => "path" in operation && operation.path);
}

test("[P3] sealOpenCloses() settles small files together, and large ones after them", async () => {
  const large = "x".repeat(SMALL_FILE_BYTES + 1);
  await cache.write("/large", large);
  for (const name of ["a", "bb", "ccc"]) await cache.write(`/${name}`, name);
  expect(await seal()).toEqual([[1, 2, 3], [large.length]]);
  expect(cache.replica.unsealed()).toEqual([]);
});

test("[D9] sealOpenCloses() settles a file once that was closed twice, for both records", async () => {
  await cache.write("/a", "first");
  await cache.write("/a", "first and second");
  expect(await seal()).toEqual([[16]]);
  expect(cache.replica.unsealed()).toEqual([]);
});

test("[D9] sealOpenCloses() leaves open what is written to meanwhile, and what cannot be read", async () => {
  for (const name of ["a", "bb"]) await cache.write(`/${name}`, name);
  await cache.write("/unreadable", "13 characters");
  await seal(() => cache.write("/bb", "later"));
  expect(openPaths()).toEqual(["/bb", "/unreadable", "/bb"]);
  expect(cache.problems).toEqual([new Error("cannot be read")]);
});

test("[P3] sealOpenCloses() goes on with others while a huge file is hashed", async () => {
  const slow = slowForHuge();
  const options = sealing(slow.settle);
  await using huge = new HugeCloses((close) => sealClose(options, close, signal));
  await makeHuge("/huge");
  await sealOpenCloses({ ...options, huge }, signal);
  await slow.begun;
  await cache.write("/small", "small");
  await cache.write("/large", "x".repeat(SMALL_FILE_BYTES + 1));
  await sealOpenCloses({ ...options, huge }, signal);
  expect(new Set(openPaths())).toEqual(new Set(["/huge"]));
  slow.end();
  await huge.settled();
  expect(openPaths()).toEqual([]);
});

test("HugeCloses seals the smallest that waits", async () => {
  const sealed: unknown[] = [];
  const slow = slowForHuge();
  const options = sealing(slow.settle);
  const huge = new HugeCloses(async (close) => {
    await sealClose(options, close, signal);
    sealed.push("path" in close.operation && close.operation.path);
  });
  await makeHuge("/first", 9);
  await sealOpenCloses({ ...options, huge }, signal);
  await slow.begun;
  await makeHuge("/b", 3);
  await makeHuge("/a", 2);
  await makeHuge("/c", 4);
  await sealOpenCloses({ ...options, huge }, signal);
  slow.end();
  await huge.settled();
  expect([...new Set(sealed)]).toEqual(["/first", "/a", "/b", "/c"]);
});

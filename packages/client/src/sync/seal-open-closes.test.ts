import { afterEach, beforeEach, expect, test } from "vitest";

import { TestCache } from "../testing/test-cache.ts";
import { hashDescriptor, SMALL_FILE_BYTES } from "./hash-file.ts";
import { type OpenFile, sealOpenCloses } from "./seal-open-closes.ts";

let cache: TestCache;

beforeEach(async () => {
  cache = await TestCache.open();
});

afterEach(() => cache[Symbol.asyncDispose]());

/** Seals once; `meanwhile` happens while files are being settled. */
async function seal(meanwhile = async (): Promise<void> => {}): Promise<number[][]> {
  const groups: number[][] = [];
  const settle = async (files: readonly OpenFile[]) => {
    groups.push(files.map(({ sizeBytes }) => sizeBytes));
    await meanwhile();
    return files.map(({ fd, sizeBytes }) =>
      sizeBytes === 13 ? new Error("cannot be read") : hashDescriptor(fd),
    );
  };
  const { replica, local, problems } = cache;
  const options = {
    replica,
    cache: local.content,
    settle,
    quiet: { waitForBurst: () => Promise.resolve() },
    show: () => {},
    onWritten: () => {},
    onProblem: (error: unknown) => void problems.push(error),
  };
  await sealOpenCloses(options, new AbortController().signal);
  return groups;
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
  const open = cache.replica
    .unsealed()
    .map(({ operation }) => "path" in operation && operation.path);
  expect(open).toEqual(["/bb", "/unreadable", "/bb"]);
  expect(cache.problems).toEqual([new Error("cannot be read")]);
});

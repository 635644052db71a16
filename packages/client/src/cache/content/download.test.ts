import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Sha256 } from "@izo/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import type { ContentSource } from "./content-source.ts";
import { download, WrongContentError } from "./download.ts";

const CHUNK = Buffer.alloc(1000, 7);
const SHA256 = createHash("sha256").update(CHUNK).digest("hex") as Sha256;

let dir = "";
let sent = 0;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "izo-download-"));
  sent = 0;
});
afterEach(() => rmSync(dir, { recursive: true }));

/** A server that says one size and sends so many chunks of 1000 bytes. */
function serverOf(sizeBytes: number, chunks: number): ContentSource {
  return {
    fetchContent: () =>
      Promise.resolve({
        sizeBytes,
        bytes: (async function* () {
          for (let left = chunks; left > 0; left -= 1) {
            sent += CHUNK.length;
            yield CHUNK;
          }
        })(),
      }),
  };
}

const fetchFrom = (source: ContentSource): Promise<void> =>
  download(source, SHA256, join(dir, "content"), new AbortController().signal, CHUNK.length);

describe("download()", () => {
  test("takes a content of the right size and hash", async () => {
    await fetchFrom(serverOf(CHUNK.length, 1));
    expect(readFileSync(join(dir, "content"))).toEqual(CHUNK);
  });

  test.each([
    { description: "that says another size and never ends", sizeBytes: 10 ** 15, chunks: Infinity },
    { description: "that says the right size and never ends", sizeBytes: 1000, chunks: Infinity },
    { description: "that says less than it sends", sizeBytes: 10, chunks: 1 },
    { description: "that ends before it has begun", sizeBytes: 1000, chunks: 0 },
  ])(
    "asks a server $description twice, takes no more than was to come, and keeps nothing",
    async ({ sizeBytes, chunks }) => {
      await expect(fetchFrom(serverOf(sizeBytes, chunks))).rejects.toThrow(WrongContentError);
      expect(sent).toBeLessThanOrEqual(2 * 2 * CHUNK.length);
      expect(existsSync(join(dir, "content"))).toBe(false);
    },
  );
});

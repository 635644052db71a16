import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { arbitrarySha256 } from "../testing/arbitrary-record.ts";
import { arbitraryCuts, collect, concat, inChunks } from "../testing/byte-chunks.ts";
import {
  parseContentPackResponse,
  writeContentPackEnd,
  writePackedContents,
} from "./content-pack-message.ts";
import { MAX_INLINE_BYTES } from "./limits.ts";
import type { InlineContent } from "./reintegrate-batch.ts";

const contents = fc.array(
  fc.record({ sha256: arbitrarySha256, bytes: fc.uint8Array({ maxLength: 500 }) }),
  { maxLength: 6 },
);

const write = (list: readonly InlineContent[], count = list.length): Uint8Array =>
  concat([writePackedContents(list), writeContentPackEnd(count)]);
const parse = (body: Uint8Array, cuts?: readonly number[]): Promise<InlineContent[]> =>
  collect(parseContentPackResponse(inChunks(body, cuts)));

describe("parseContentPackResponse()", () => {
  test("gives back the contents, wherever the network cuts the body", async () => {
    await fc.assert(
      fc.asyncProperty(contents, arbitraryCuts, async (list, cuts) => {
        expect(await parse(write(list), cuts)).toEqual(list);
      }),
    );
  });

  test.each([
    { description: "a pack without an end", body: concat([]) },
    { description: "a pack that says another count", body: write([], 1) },
    { description: "a pack with something behind its end", body: concat([write([]), write([])]) },
    { description: "a torn frame", body: write([]).subarray(0, 4) },
    { description: "an unknown frame", body: Uint8Array.from([0, 0, 0, 0, 9]) },
    { description: "a content without a hash", body: Uint8Array.from([1, 0, 0, 0, 1, 7]) },
  ])("refuses $description", async ({ body }) => {
    await expect(parse(body)).rejects.toMatchObject({ code: "wire-format" });
  });

  test("refuses a content that is too long for a pack", async () => {
    const bytes = new Uint8Array(MAX_INLINE_BYTES + 1);
    const body = write([{ sha256: "ab".repeat(32) as never, bytes }]);
    await expect(parse(body)).rejects.toThrow("is longer than");
  });
});

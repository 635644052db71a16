import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { parseSegmentHeader } from "@izo/core";
import { expect, test } from "vitest";

import { openTestExport, temporaryDirectory } from "../testing/temporary-export.ts";
import { createApp } from "./app.ts";

test("GET /kml/segments/:first gives sealed segments for ever, and no open one", async () => {
  await using directory = await temporaryDirectory();
  const { dir } = directory;
  for (let index = 0; index < 40; index += 1)
    await writeFile(join(dir, `file-${index}`), `${index}`);
  await using fileset = await openTestExport(dir, { segmentBytes: 4096 });
  const app = createApp({ filesets: [fileset] });
  const base = "/v1/filesets/rootfset/kml/segments";
  const { segments } = (await (await app.request(base)).json()) as {
    segments: { first: number; sizeBytes: number; isSealed: boolean }[];
  };
  const [sealed] = segments;
  const open = segments.at(-1)!;
  expect(sealed).toMatchObject({ first: 1, isSealed: true });
  expect(open.isSealed).toBe(false);

  const whole = await app.request(`${base}/1`);
  const bytes = new Uint8Array(await whole.arrayBuffer());
  expect(bytes).toHaveLength(sealed!.sizeBytes);
  expect(parseSegmentHeader(bytes, "segment").first).toBe(1);
  expect(whole.headers.get("Cache-Control")).toContain("immutable");

  const part = await app.request(`${base}/1`, { headers: { Range: "bytes=8-15" } });
  expect(part.status).toBe(206);
  expect(part.headers.get("Content-Range")).toBe(`bytes 8-15/${bytes.length}`);
  expect(new Uint8Array(await part.arrayBuffer())).toEqual(bytes.slice(8, 16));

  const etag = whole.headers.get("ETag")!;
  const again = await app.request(`${base}/1`, { headers: { "If-None-Match": etag } });
  expect(again.status).toBe(304);
  expect((await app.request(`${base}/${open.first}`)).status).toBe(404);
  expect((await app.request(`${base}/2`)).status).toBe(404);
});

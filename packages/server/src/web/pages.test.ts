import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { openTestAccess } from "../testing/test-access.ts";
import { openTestApp, type TestApp } from "../testing/test-app.ts";
import { createFile, makeDirectory, TestPeer } from "../testing/test-peer.ts";
import { attachment } from "./get-download.ts";
import { PAGE_ROUTES } from "./page-routes.ts";
import { align } from "./side-by-side.ts";

let t: TestApp;
beforeAll(async () => {
  t = await openTestApp();
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
});

const page = async (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  t.app.request(path, { headers });

describe("pages", () => {
  test("refuse whatever does not come from this server", async () => {
    const { headers } = await page("/");
    const policy = headers.get("Content-Security-Policy");
    expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
    expect(policy).not.toMatch(/unsafe|http|\*|data:/);
    expect(headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(headers.get("Cache-Control")).toBe("no-store");
  });

  test("hold no script, style or handler of their own", async () => {
    for (const path of ["/", "/filesets/rootfset", "/filesets/rootfset/tree/sub/"]) {
      const text = await (await page(path)).text();
      expect(text).not.toMatch(/<style|<script(?! src=)|\sstyle=|\son\w+=/);
    }
  });

  test.each([
    { path: "/filesets/other", status: 404, text: "this server has rootfset" },
    { path: "/filesets/rootfset/tree/nothing", status: 404, text: "Nothing is there now" },
    { path: "/filesets/rootfset/tree/..%2fetc", status: 400, text: "invalid-name" },
    { path: "/filesets/rootfset/conflicts/abc", status: 404, text: "There is no such conflict" },
    { path: `/filesets/rootfset/conflicts/${"ab".repeat(16)}`, status: 404, text: "no such" },
  ])("say in words why there is nothing at $path", async ({ path, status, text }) => {
    const response = await page(path);
    expect(response.status).toBe(status);
    expect(response.headers.get("Content-Type")).toContain("text/html");
    expect(response.headers.get("Content-Security-Policy")).toContain("default-src 'none'");
    expect(await response.text()).toContain(text);
  });

  test("list a large directory in parts", async () => {
    const peer = new TestPeer(t.fileset);
    const large = makeDirectory("large");
    const files = Array.from({ length: 1001 }, (_, index) =>
      createFile(`file-${String(index).padStart(4, "0")}`, undefined, large.oid),
    );
    await peer.push(large, ...files.slice(0, 1000));
    await peer.push(...files.slice(1000));
    const first = await (await page("/filesets/rootfset/tree/large/")).text();
    expect(first).toContain("file-0999");
    expect(first).not.toContain("file-1000");
    expect(await (await page("/filesets/rootfset/tree/large?page=2")).text()).toContain(
      "file-1000",
    );
  });
});

describe("what pages are made of", () => {
  test("is kept for as long as its address names these bytes", async () => {
    const [, href] = /href="(\/assets\/page.css\?v=\w+)"/.exec(await (await page("/")).text())!;
    const style = await page(href!);
    expect(style.headers.get("Content-Type")).toBe("text/css; charset=utf-8");
    expect(style.headers.get("Cache-Control")).toContain("immutable");
    const other = await page("/assets/page.css?v=other");
    expect(other.headers.get("Cache-Control")).toBe("no-cache");
    const again = await page(href!, { "If-None-Match": style.headers.get("ETag")! });
    expect(again.status).toBe(304);
  });

  test.each(["/assets/package.json", "/assets/..%2fpackage.json", "/assets/constructor"])(
    "is nothing but that: %s",
    async (path) => {
      expect((await page(path)).status).toBe(404);
    },
  );
});

describe("downloads", () => {
  test("are kept, never shown", async () => {
    const response = await page("/filesets/rootfset/download/sub/a%20%3Cb%3E.bin");
    expect(response.headers.get("Content-Disposition")).toBe(
      `attachment; filename="a <b>.bin"; filename*=UTF-8''a%20%3Cb%3E.bin`,
    );
    expect(response.headers.get("Content-Security-Policy")).toContain("sandbox");
    expect(response.headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect((await response.arrayBuffer()).byteLength).toBe(200_000);
  });

  test("of an empty file are empty", async () => {
    const response = await page("/filesets/rootfset/download/empty");
    expect([response.status, await response.text()]).toEqual([200, ""]);
  });

  test.each([
    { name: 'a"b\\c', header: `attachment; filename="a_b_c"; filename*=UTF-8''a%22b%5Cc` },
    {
      name: "ü\r\nX: y",
      header: `attachment; filename="___X: y"; filename*=UTF-8''%C3%BC%0D%0AX%3A%20y`,
    },
    { name: "\udcff", header: `attachment; filename="_"; filename*=UTF-8''%FF` },
  ])("of $name put nothing else into the header", ({ name, header }) => {
    expect(attachment(name)).toBe(header);
  });
});

test("align() puts every line of both beside its equal, or beside what replaced it", () => {
  const rows = align(["a", "b", "c", "d"], ["a", "x", "y", "c"]);
  expect(rows.map(({ left, right }) => [left?.[1] ?? "", right?.[1] ?? ""])).toEqual([
    ["a", "a"],
    ["b", "x"],
    ["", "y"],
    ["c", "c"],
    ["d", ""],
  ]);
});

describe("where tokens are required, pages", () => {
  const urls = Object.values(PAGE_ROUTES)
    .map((route) =>
      route
        .replace(":fileset", "rootfset")
        .replace(":copy", "ab".repeat(16))
        .replace(":name", "page.css"),
    )
    .map((url) => (url.endsWith("download") ? `${url}/hello.txt` : url));

  test("tell nothing to who has none, or one for the log only, and decide nothing for a reader", async () => {
    const tokenDir = mkdtempSync(join(tmpdir(), "izo-pages-"));
    using door = openTestAccess(t.fileset, tokenDir);
    const log = door.create({ access: "log", name: "log" });
    const read = door.create({ access: "read", name: "reader" });
    for (const url of urls) {
      expect([url, (await door.app.request(url)).status]).toEqual([url, 401]);
      expect([url, (await door.request(url, log)).status]).toEqual([url, 403]);
    }
    const overview = await door.request("/filesets/rootfset", read);
    expect(await overview.text()).toContain("Log out");
    const decision = { method: "POST", body: "how=ours&copyVersion=1" };
    const conflict = `/filesets/rootfset/conflicts/${"ab".repeat(16)}`;
    expect((await door.request(conflict, read, decision)).status).toBe(403);
    rmSync(tokenDir, { recursive: true });
  });
});

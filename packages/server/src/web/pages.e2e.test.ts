import { mkdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { openBrowser } from "../testing/open-browser.ts";
import { edit, HOSTILE_NAME, openPageScene, type PageScene } from "../testing/page-scene.ts";
import { createFile } from "../testing/test-peer.ts";

let scene: PageScene;
let browser: Browser;
beforeAll(async () => {
  [scene, browser] = await Promise.all([openPageScene(), openBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await scene?.[Symbol.asyncDispose]();
});

interface Visit extends AsyncDisposable {
  readonly page: Page;
  /** What went wrong in the browser's eyes: errors of scripts, broken policies, requests to others. */
  readonly complaints: readonly string[];
  open(path: string): Promise<void>;
}

async function visit(options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, ...options });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(`${scene.origin}/`)) complaints.push(request.url());
  });
  return {
    page,
    complaints,
    open: async (path) => {
      const response = await page.goto(scene.origin + path);
      expect(response!.headers()["content-security-policy"]).toContain("default-src 'none'");
    },
    [Symbol.asyncDispose]: () => context.close(),
  };
}

const conflictPage = (): string =>
  `/filesets/orchard/conflicts/${scene.fileset.conflicts()[0]!.copy.oid}`;

const PAGES = [
  { name: "filesets", path: () => "/", heading: "Filesets" },
  { name: "overview", path: () => "/filesets/orchard", heading: "orchard" },
  { name: "changes", path: () => "/filesets/orchard/changes", heading: "Changes" },
  { name: "tree", path: () => "/filesets/orchard/tree/", heading: "Files" },
  { name: "file", path: () => "/filesets/orchard/tree/scripts/press.py", heading: "press.py" },
  { name: "conflicts", path: () => "/filesets/orchard/conflicts", heading: "Conflicts" },
  { name: "conflict", path: conflictPage, heading: "Conflict about /plan.md" },
];

/** What a program that speaks cannot name, or a keyboard cannot reach. */
const FAULTS = [
  "a:not([aria-label]):empty, button:empty, th:empty",
  "th:not([scope])",
  "svg[role=img]:not([aria-label]), nav:not([aria-label]), [role=region]:not([aria-label])",
  "table:not(:has(caption)):not(details table)",
  "input:not([type=hidden]):not(label input), select:not(label select)",
  ".scroll:not([tabindex='0'])",
  "section:not([aria-labelledby])",
];

/** Set to a directory to keep what the pages look like; the pictures of the README come from here. */
const PICTURES = process.env["IZO_PICTURES"];

async function keepPicture(page: Page, name: string): Promise<void> {
  if (PICTURES === undefined) return;
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`) });
}

describe("each page", () => {
  test.each(PAGES)("$name asks nobody else, breaks no policy, fits a phone", async (shown) => {
    await using wide = await visit();
    await wide.open(shown.path());
    expect(await wide.page.locator("h1").innerText()).toBe(shown.heading);
    await keepPicture(wide.page, shown.name);
    await using narrow = await visit({
      viewport: { width: 380, height: 800 },
      colorScheme: "dark",
    });
    await narrow.open(shown.path());
    const [width, wanted] = await narrow.page.evaluate<[number, number]>(
      "[document.documentElement.clientWidth, document.documentElement.scrollWidth]",
    );
    expect(wanted).toBe(width);
    await keepPicture(narrow.page, `${shown.name}-dark-narrow`);
    expect([...wide.complaints, ...narrow.complaints]).toEqual([]);
  });

  test.each(PAGES)("$name names its parts for who does not see them", async (shown) => {
    await using t = await visit();
    await t.open(shown.path());
    const faults = await t.page.locator(FAULTS.join(", ")).all();
    expect(await Promise.all(faults.map((element) => element.innerHTML()))).toEqual([]);
    expect(await t.page.locator("h1").count()).toBe(1);
  });
});

test("the overview shows what comes, while it comes, until it is paused", async () => {
  await using t = await visit();
  await t.open("/filesets/orchard");
  await t.page.getByText("Live").waitFor();
  await scene.laptop.push(createFile("arrived.txt"));
  const row = t.page.locator("tr.fresh", { hasText: "/arrived.txt" });
  await row.waitFor();
  await t.page.getByRole("button", { name: "Pause" }).click();
  await scene.laptop.push(createFile("unseen.txt"));
  await t.page.getByText("Paused").waitFor();
  expect(await t.page.getByText("/unseen.txt").count()).toBe(0);
  await t.page.getByRole("button", { name: "Follow" }).click();
  await t.page.getByText("/unseen.txt").waitFor();
  expect(t.complaints).toEqual([]);
});

test("the keyboard skips to the content, and stays where it is when a part is renewed", async () => {
  await using t = await visit();
  await t.open("/filesets/orchard");
  await t.page.keyboard.press("Tab");
  await t.page.keyboard.press("Enter");
  expect(await t.page.locator("#main:focus").count()).toBe(1);
  const link = t.page.getByRole("link", { name: "/README.md" }).first();
  await link.focus();
  await scene.laptop.push(createFile("renewed.txt"));
  await t.page.getByText("/renewed.txt").waitFor();
  expect(await link.and(t.page.locator(":focus")).count()).toBe(1);
});

describe("without JavaScript", () => {
  test("the tree is walked, a file read, and its old content taken home", async () => {
    await using t = await visit({ javaScriptEnabled: false, acceptDownloads: true });
    await t.open("/");
    await t.page.getByRole("link", { name: "orchard" }).click();
    await t.page.getByRole("link", { name: "Files" }).click();
    await t.page.getByRole("link", { name: "scripts/" }).click();
    await t.page.getByRole("link", { name: "press.py", exact: true }).click();
    expect(await t.page.locator("pre").innerText()).toContain("loss=0.38");
    const coming = t.page.waitForEvent("download");
    await t.page.locator("section", { hasText: "History" }).getByText("download").click();
    const download = await coming;
    expect(download.suggestedFilename()).toBe("press.py");
    expect(await readFile(await download.path(), "utf8")).toContain("kilos * 0.62");
    expect(t.complaints).toEqual([]);
  });

  test("the changes are searched by path and by what was done", async () => {
    await using t = await visit({ javaScriptEnabled: false });
    await t.open("/filesets/orchard/changes");
    await t.page.getByLabel("Path").fill("notes");
    await t.page.getByLabel("What").selectOption("moved or saved");
    await t.page.getByRole("button", { name: "Show" }).click();
    const rows = await t.page.locator("tbody tr").allInnerTexts();
    expect(rows).toEqual([expect.stringContaining("/notes/weather-2026.csv")]);
  });

  test("the last page of the log is reached by links", async () => {
    await using t = await visit({ javaScriptEnabled: false });
    await t.open("/filesets/orchard/changes");
    const older = t.page.getByRole("link", { name: /Older/ });
    while ((await older.count()) > 0) await older.click();
    const last = await t.page.locator("tbody tr").last().getAttribute("data-key");
    expect(last).toBe("1");
  });
});

describe("what others wrote", () => {
  test("is text, whatever it looks like", async () => {
    await using t = await visit();
    await t.open("/filesets/orchard/tree/");
    const link = t.page.getByRole("link", { name: HOSTILE_NAME, exact: true });
    expect(await t.page.locator("main img").count()).toBe(0);
    await link.click();
    expect(await t.page.locator("h1").innerText()).toBe(HOSTILE_NAME);
    await t.open("/filesets/orchard/tree/notes/");
    await t.page.getByRole("link", { name: "caf\\xe9.txt", exact: true }).click();
    expect(await t.page.locator("pre").innerText()).toBe("not UTF-8\n");
    expect(t.complaints).toEqual([]);
  });

  test.each(["evil.html", "labels/front.svg"])(
    "runs nothing when %s is looked at",
    async (path) => {
      await using t = await visit();
      let isAsked = false;
      t.page.on("dialog", async (dialog) => {
        isAsked = true;
        await dialog.dismiss();
      });
      await t.page.goto(`${scene.origin}/v1/filesets/orchard/files/${path}`);
      expect(await t.page.title()).not.toBe("owned");
      expect(isAsked).toBe(false);
      // The browser says that it ran nothing.
      expect(t.complaints.join()).toMatch(/script.*(sandbox|Content Security Policy)/is);
    },
  );
});

test("a decision from another site, and one about what was changed since, are not carried out", async () => {
  await using t = await visit();
  const address = conflictPage();
  const foreign = await fetch(scene.origin + address, {
    method: "POST",
    headers: { Origin: "http://elsewhere.example" },
    body: new URLSearchParams({ how: "ours", copyVersion: "1", originalVersion: "1" }),
  });
  expect(foreign.status).toBe(403);
  await t.open(address);
  await edit(scene.fileset, scene.laptop, "/plan.md", "Changed while you looked.\n");
  await t.page.getByRole("button", { name: "Take theirs" }).click();
  expect(await t.page.getByRole("alert").innerText()).toContain("changed since you looked");
  expect(scene.fileset.conflicts()).toHaveLength(1);
});

test("[K42] a conflict is decided on its page", async () => {
  await using t = await visit({ javaScriptEnabled: false });
  await t.open("/filesets/orchard/conflicts");
  await t.page.getByRole("link", { name: "/plan.md", exact: true }).click();
  expect(await t.page.locator("mark").allInnerTexts()).toContain("6. Sell the old barrels.");
  await t.page.getByRole("button", { name: "Take theirs" }).click();
  expect(await t.page.locator("main").innerText()).toContain("None.");
  expect(scene.fileset.conflicts()).toEqual([]);
  await t.open("/filesets/orchard/tree/plan.md");
  expect(await t.page.locator("pre").innerText()).toContain("6. Sell the old barrels.");
  expect(await t.page.locator("tbody tr").first().innerText()).toContain("this page izo web page");
});

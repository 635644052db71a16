import { existsSync } from "node:fs";

import { type Browser, chromium } from "playwright-core";

const CHROMIUM = "/usr/bin/chromium";

/** Debian's chromium, without a window. Root has no sandbox; the pages are our own. */
export async function openBrowser(): Promise<Browser> {
  if (!existsSync(CHROMIUM)) {
    throw new Error("Cannot drive the pages without chromium. Debian: apt-get install -y chromium");
  }
  return await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
}

import { execFileSync } from "node:child_process";

import { bytesToText } from "@izo/core";
import { expect, test } from "vitest";

import { wordsAsGiven } from "./command-line.ts";

const BAD = Buffer.from([0x61, 0xff, 0xc3]);
const asWords = (...words: (string | Buffer)[]): Buffer =>
  Buffer.concat(words.flatMap((word) => [Buffer.from(word as string), Buffer.of(0)]));

test("wordsAsGiven() has names that are no UTF-8 as the log has them", async () => {
  const kernel = asWords("node", "main.ts", "cat", BAD, "", "ü");
  const words = ["cat", BAD.toString(), "", "ü"];
  expect(await wordsAsGiven(words, () => kernel)).toEqual(["cat", bytesToText(BAD), "", "ü"]);
});

test("wordsAsGiven() leaves what is U+FFFD itself, and words of another process", async () => {
  const words = ["cat", "a\u{fffd}"];
  expect(await wordsAsGiven(words, () => asWords("node", ...words))).toEqual(words);
  expect(await wordsAsGiven(words, () => asWords("node", "cat", "b"))).toEqual(words);
  expect(await wordsAsGiven(words, () => Buffer.alloc(0))).toEqual(words);
});

test("izo takes a name that is no UTF-8 from the kernel", () => {
  const main = new URL("./main.ts", import.meta.url).pathname;
  // Node can give no program such a word; a shell can.
  const script = `"$0" --conditions=izo:source "$1" pin "$(printf '/nowhere/a\\377')" 2>&1; true`;
  const printed = execFileSync("bash", ["-c", script, process.execPath, main], {
    encoding: "utf8",
  });
  expect(printed).toContain(String.raw`"/nowhere/a\udcff"`);
});

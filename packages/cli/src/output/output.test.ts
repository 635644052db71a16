import { expect, test } from "vitest";

import { createOutput } from "./output.ts";

function capture(isJson: boolean, isTTY = false) {
  const text = { out: "", err: "" };
  const output = createOutput(
    { isJson },
    {
      stdout: { write: (part) => (text.out += part) },
      stderr: { isTTY, write: (part) => (text.err += part) },
    },
  );
  return { output, text };
}

test("with --json only results reach standard output, one line each", () => {
  const { output, text } = capture(true, true);
  output.say("Scanning");
  using progress = output.progress("Scanning");
  progress.update({ done: 1, total: 2, unit: "files" });
  output.result({ sizeBytes: 2, mtimeNs: 1_700_000_000_123_456_789n }, "2 bytes");
  expect(text).toEqual({
    out: '{"sizeBytes":2,"mtimeNs":"1700000000123456789"}\n',
    err: "",
  });
});

test("without --json the text form is printed and warnings go to standard error", () => {
  const { output, text } = capture(false);
  output.result({ a: 1 }, "one");
  output.warn("two");
  expect(text).toEqual({ out: "one\n", err: "warning: two\n" });
});

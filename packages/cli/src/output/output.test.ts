import { IzoError } from "@izo/core";
import { expect, test } from "vitest";

import { LiveScreen } from "./live-screen.ts";
import { createOutput } from "./output.ts";
import { reportError } from "./report-error.ts";

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

test("a terminal obeys nothing that somebody else has said, and other programs get it as it is", () => {
  const evil = "a\u001b]0;title\u0007\r\u009b2J\n\tb";
  const printed = (isTTY: boolean): string => {
    let text = "";
    const stream = { isTTY, write: (part: string | Uint8Array) => (text += String(part)) };
    const output = createOutput({ isJson: false }, { stdout: stream, stderr: stream });
    output.result(null, evil);
    output.say(evil);
    output.warn(evil);
    reportError(new IzoError("unknown", evil), false, stream);
    new LiveScreen(stream, { isLive: false }).show(evil);
    return text;
  };
  const shown = String.raw`a\u001b]0;title\u0007\u000d\u009b2J` + "\n\tb";
  expect(printed(true)).toBe(`${shown}\n${shown}\nwarning: ${shown}\nerror: ${shown}\n${shown}\n`);
  expect(printed(false)).toBe(`${evil}\n${evil}\nwarning: ${evil}\nerror: ${evil}\n${evil}\n`);
});

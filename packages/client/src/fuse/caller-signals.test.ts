import { constants } from "node:os";

import { expect, test } from "vitest";

import { isToldToStop } from "./caller-signals.ts";

const FIELDS = ["SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt"] as const;

type Masks = Partial<Record<(typeof FIELDS)[number], readonly NodeJS.Signals[]>>;

/** As in /proc, of a thread with these signals. */
function statusOf(masks: Masks): string {
  const lines = FIELDS.map((field) => `${field}:\t${maskOf(masks[field] ?? [])}`);
  return ["Name:\tcat", "SigQ:\t1/96248", ...lines, "CapInh:\t0000000000000000"].join("\n");
}

function maskOf(names: readonly NodeJS.Signals[]): string {
  const bits = names.map((name) => 1n << BigInt(constants.signals[name] - 1));
  return bits
    .reduce((mask, bit) => mask | bit, 0n)
    .toString(16)
    .padStart(16, "0");
}

test.each<[string, boolean, Masks]>([
  ["none at all", false, {}],
  ["one that kills", true, { SigPnd: ["SIGKILL"] }],
  ["one without a handler that ends programs", true, { ShdPnd: ["SIGUSR1"] }],
  ["one without a handler that ends nothing", false, { ShdPnd: ["SIGCHLD", "SIGWINCH"] }],
  ["one that stops it for a while", false, { ShdPnd: ["SIGTSTP"], SigPnd: ["SIGSTOP"] }],
  ["a timer's, with a handler", false, { ShdPnd: ["SIGALRM"], SigCgt: ["SIGALRM"] }],
  ["Ctrl-C, with a handler", true, { ShdPnd: ["SIGINT"], SigCgt: ["SIGINT"] }],
  ["Ctrl-C, which it ignores", false, { ShdPnd: ["SIGINT"], SigIgn: ["SIGINT"] }],
  ["the end of its session, blocked", false, { ShdPnd: ["SIGHUP"], SigBlk: ["SIGHUP"] }],
  ["a timer's, and one that kills", true, { SigPnd: ["SIGKILL", "SIGALRM"], SigCgt: ["SIGALRM"] }],
])("isToldToStop() of a thread that was sent %s: %s", (_, expected, masks) => {
  expect(isToldToStop(7, () => statusOf(masks))).toBe(expected);
});

test("isToldToStop() says so of a thread that cannot be seen, and not of this one", () => {
  expect(isToldToStop(0)).toBe(true);
  expect(isToldToStop(process.pid)).toBe(false);
});

import { expect, test } from "vitest";

import { parseHelperCall } from "./helper-options.ts";

const KNOWN = [
  { name: "--cache", takesValue: true },
  { name: "--cache-quota", takesValue: true },
  { name: "--read-only", takesValue: false },
];

const WHERE = ["http://nas:8370/rootfset", "/mnt/project"];

test.each([
  { description: "none", argv: [], options: [] },
  {
    description: "those of izo mount, with either kind of dash",
    argv: ["-o", "rw,cache=/var/cache/a,cache_quota=10GiB"],
    options: ["--cache=/var/cache/a", "--cache-quota=10GiB"],
  },
  {
    description: "those that mount and systemd keep for themselves",
    argv: ["-o", "defaults,_netdev,nofail,x-systemd.automount,comment=ours", "-v"],
    options: [],
  },
  { description: "a comma in a value", argv: ["-o", "cache=/a\\,b"], options: ["--cache=/a,b"] },
  { description: "ro, as an option and as -r", argv: ["-r"], options: ["--read-only"] },
  { description: "what nobody knows, with -s", argv: ["-s", "-o", "speed=10"], options: [] },
])("parseHelperCall() takes $description", ({ argv, options }) => {
  const [url, mountPoint] = WHERE;
  const call = parseHelperCall([...WHERE, ...argv], KNOWN);
  expect(call).toEqual({ url, mountPoint, options, isFake: false });
});

test.each([
  { argv: [...WHERE, "-o", "speed=10"], message: 'Cannot mount with "speed=10"' },
  { argv: [...WHERE, "-o", "cache"], message: "it needs a value" },
  { argv: [...WHERE, "-o", "read-only=yes"], message: "it takes no value" },
  { argv: WHERE.slice(0, 1), message: "a URL and a mount point are needed" },
])("parseHelperCall() refuses $argv", ({ argv, message }) => {
  expect(() => parseHelperCall(argv, KNOWN)).toThrow(message);
});

test("parseHelperCall() reads -f, which mount(8) passes for a dry run", () => {
  expect(parseHelperCall([...WHERE, "-fv"], KNOWN).isFake).toBe(true);
});

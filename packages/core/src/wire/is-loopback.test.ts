import { expect, test } from "vitest";

import { isLoopback } from "./is-loopback.ts";

test("isLoopback() knows the addresses of this machine alone", () => {
  const hosts = ["localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "::ffff:127.0.0.1"];
  expect(hosts.filter((host) => !isLoopback(host))).toEqual([]);
  const others = ["0.0.0.0", "::", "nas", "127.evil.example", "10.0.0.1", "::ffff:10.0.0.1", ""];
  expect(others.filter(isLoopback)).toEqual([]);
});

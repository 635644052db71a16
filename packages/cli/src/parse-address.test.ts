import { describe, expect, test } from "vitest";

import { isUrl, parseListen } from "./parse-address.ts";

describe("parseListen()", () => {
  test.each([
    ["127.0.0.1:8370", { host: "127.0.0.1", port: 8370 }],
    ["nas:0", { host: "nas", port: 0 }],
    ["[::]:8370", { host: "::", port: 8370 }],
    ["8370", { host: "127.0.0.1", port: 8370 }],
  ])("reads %s", (text, expected) => {
    expect(parseListen(text)).toEqual(expected);
  });

  test.each(["", "nas", "nas:", "nas:80:80", "::1:80", "nas:70000", "nas:-1"])(
    "refuses %j",
    (text) => {
      expect(() => parseListen(text)).toThrow("it is no address");
    },
  );
});

test("isUrl() tells a URL from a path", () => {
  expect(["HTTP://a/b", "https://a", "/http://a", "a"].map(isUrl)).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

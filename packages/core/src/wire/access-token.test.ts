import { expect, test } from "vitest";

import { parseBearer, tokenIdOf, withoutTokens, writeBearer, writeToken } from "./access-token.ts";

const TOKEN = writeToken("3f2a91c0", "A".repeat(43));

test("tokenIdOf() reads the id of a whole token, and of nothing else", () => {
  expect(tokenIdOf(TOKEN)).toBe("3f2a91c0");
  for (const text of ["", "izo_", TOKEN.slice(1), TOKEN.slice(0, -1), `${TOKEN}A`, ` ${TOKEN}`]) {
    expect(tokenIdOf(text)).toBeNull();
  }
});

test("withoutTokens() leaves the id and no secret", () => {
  const text = withoutTokens(`http://x/?token=${TOKEN}&more and ${TOKEN}.`);
  expect(text).toBe("http://x/?token=izo_3f2a91c0_…&more and izo_3f2a91c0_….");
});

test("parseBearer() reads what writeBearer() writes, whatever the case of its scheme", () => {
  expect(parseBearer(writeBearer(TOKEN))).toBe(TOKEN);
  expect(parseBearer(`bearer ${TOKEN} `)).toBe(TOKEN);
  for (const value of [null, "", "Bearer", `Basic ${TOKEN}`, `Bearer ${TOKEN} x`]) {
    expect(parseBearer(value)).toBeNull();
  }
});

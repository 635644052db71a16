import { expect, test } from "vitest";

import { parseResponseHead } from "./response-head.ts";

const parse = (...lines: string[]) =>
  parseResponseHead(Buffer.from([...lines, "", "body"].join("\r\n")));

test("parseResponseHead() reads status, headers by any case, and where the body begins", () => {
  const head = parse("HTTP/1.1 206 Partial Content", "Content-Length: 4", "X-One:two ");
  expect(head).toMatchObject({ status: 206, bodyAt: 63 });
  expect(head?.header("x-ONE")).toBe("two");
  expect(head?.header("y")).toBeNull();
});

test("parseResponseHead() waits for the rest of a head", () => {
  expect(parseResponseHead(Buffer.from("HTTP/1.1 200 OK\r\nContent-Len"))).toBeUndefined();
});

test.each([
  { description: "another version", lines: ["HTTP/1.0 200 OK", "Content-Length: 4"] },
  {
    description: "an answer before the answer",
    lines: ["HTTP/1.1 100 Continue", "Content-Length: 4"],
  },
  { description: "no length", lines: ["HTTP/1.1 200 OK", "A: b"] },
  {
    description: "two lengths",
    lines: ["HTTP/1.1 200 OK", "Content-Length: 4", "content-length: 5"],
  },
  { description: "a length that is none", lines: ["HTTP/1.1 200 OK", "Content-Length: +4"] },
  {
    description: "chunks",
    lines: ["HTTP/1.1 200 OK", "Content-Length: 4", "Transfer-Encoding: chunked"],
  },
  {
    description: "a coding",
    lines: ["HTTP/1.1 200 OK", "Content-Length: 4", "Content-Encoding: gzip"],
  },
  { description: "a folded line", lines: ["HTTP/1.1 200 OK", "Content-Length: 4", " 5"] },
  { description: "a space before the colon", lines: ["HTTP/1.1 200 OK", "Content-Length : 4"] },
])("parseResponseHead() leaves $description to others", ({ lines }) => {
  expect(parse(...lines)).toBeNull();
});

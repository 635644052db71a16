import { describe, expect, test } from "vitest";

import type { Oid, PeerId, Recno, Sha256 } from "../kml/identity.ts";
import {
  type ConflictReport,
  parseConflictsResponse,
  writeConflictsResponse,
} from "./conflicts-message.ts";
import { WireFormatError } from "./wire-format-error.ts";

const oid = "0a".repeat(16) as Oid & PeerId;
const sha256 = "9f".repeat(32) as Sha256;
const side = { oid, path: "/a", kind: "file", sizeBytes: 3, sha256 } as const;
const whole: ConflictReport = {
  copy: { ...side, path: "/a.conflict-20260102T030405Z-box" },
  original: side,
  host: "box",
  time: "2026-01-02T03:04:05Z",
  base: 7 as Recno,
  ours: sha256,
  theirs: sha256,
  ancestor: { sha256, sizeBytes: 2, isKept: false },
  record: { recno: 9 as Recno, origin: { peer: oid, recno: 1 as Recno }, uid: 0, command: "vim" },
};
const bare: ConflictReport = {
  ...whole,
  original: null,
  ours: null,
  theirs: null,
  ancestor: null,
  record: null,
};

describe("parseConflictsResponse()", () => {
  test("gives back what writeConflictsResponse() was given", () => {
    expect(parseConflictsResponse(writeConflictsResponse([whole, bare]))).toEqual([whole, bare]);
  });

  test.each([
    { description: "a kind that does not exist", change: { copy: { ...side, kind: "door" } } },
    { description: "an ancestor without its hash", change: { ancestor: { sizeBytes: 1 } } },
    {
      description: "an ancestor of which it is not said whether it is kept",
      change: { ancestor: { sha256, sizeBytes: 1, isKept: "yes" } },
    },
  ])("refuses $description", ({ change }) => {
    const body = JSON.stringify({ conflicts: [{ ...whole, ...change }] });
    expect(() => parseConflictsResponse(body)).toThrow(WireFormatError);
  });
});

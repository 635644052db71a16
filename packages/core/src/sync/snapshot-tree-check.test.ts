import { expect, test } from "vitest";

import { type Oid, ROOT_OID } from "../kml/identity.ts";
import type { SnapshotRow } from "../wire/snapshot-row.ts";
import { SnapshotTreeCheck } from "./snapshot-tree-check.ts";

const object = (oid: string, kind: string): SnapshotRow =>
  ({ kind: "object", object: { oid, kind } }) as SnapshotRow;
const entry = (parent: string, name: string, oid: string): SnapshotRow =>
  ({ kind: "entry", entry: { parent, name, oid, version: 1 } }) as unknown as SnapshotRow;

function check(...rows: SnapshotRow[]): void {
  const tree = new SnapshotTreeCheck();
  for (const row of [object(ROOT_OID, "directory"), ...rows]) tree.take(row);
  tree.end();
}

const root: Oid = ROOT_OID;

test("SnapshotTreeCheck takes a tree, files with two names among it", () => {
  const rows = [
    object("d", "directory"),
    object("e", "directory"),
    object("f", "file"),
    entry("d", "e", "e"),
    entry(root, "d", "d"),
    entry("e", "f", "f"),
    entry(root, "g", "f"),
  ];
  expect(() => check(...rows)).not.toThrow();
});

test.each([
  {
    description: "entries of a symlink",
    rows: [object("s", "symlink"), entry(root, "s", "s"), entry("s", "passwd", "f")],
    reason: "s is no directory and has entries",
  },
  {
    description: "a directory with two places",
    rows: [object("d", "directory"), entry(root, "a", "d"), entry(root, "b", "d")],
    reason: "the directory d has two places",
  },
  {
    description: "two directories in each other",
    rows: [
      object("d", "directory"),
      object("e", "directory"),
      entry("d", "e", "e"),
      entry("e", "d", "d"),
    ],
    reason: "is in a ring",
  },
  {
    description: "a directory that is nowhere",
    rows: [object("d", "directory")],
    reason: "no way leads to the directory d",
  },
  {
    description: "the root in a directory",
    rows: [object("d", "directory"), entry(root, "d", "d"), entry("d", "r", root)],
    reason: `the directory ${root} has two places`,
  },
  {
    description: "a directory that is a symlink, too",
    rows: [object("d", "directory"), object("d", "symlink"), entry(root, "d", "d")],
    reason: "d is a directory, and something else",
  },
])("SnapshotTreeCheck refuses $description", ({ rows, reason }) => {
  expect(() => check(...rows)).toThrow(reason);
});

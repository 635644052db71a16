import { type Base, type Oid, parseName, type PeerId, type Recno } from "@izo/core";
import { expect, test } from "vitest";

import { rootNode } from "../fuse/file-system.ts";
import { DIRECT_FORM } from "./direct-form.ts";
import { InodeMarks } from "./inode-marks.ts";
import { NodeIds } from "./node-ids.ts";
import { NodeTable } from "./node-table.ts";

const own = (recno: number): Base => ({ peer: "11".repeat(16) as PeerId, recno: recno as Recno });

test("NodeTable keeps nothing of a file that is removed before its mark was written", () => {
  const places = { tree: "/cache/tree", limbo: "/cache/limbo", rootId: rootNode };
  const nodes = new NodeTable({ ...places, ids: new NodeIds() });
  const marks = new InodeMarks(nodes, DIRECT_FORM);
  const node = nodes.add("f1".repeat(16) as Oid, "file", { state: "local", base: own(1) });
  nodes.link(node, nodes.root, parseName("a"));
  node.references = 1;

  marks.holdRecord(node, own(2), own(1));
  expect([...nodes.lateMarks]).toEqual([node]);
  nodes.unlink(nodes.root, parseName("a"));
  node.references = 0;
  nodes.collect(node);

  expect(nodes.has(node.id)).toBe(false);
  expect([...nodes.lateMarks]).toEqual([]);
});

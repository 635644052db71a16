import { type Base, type Oid, parseName, type PeerId, type Recno } from "@izo/core";
import { expect, test } from "vitest";

import { rootNode } from "../../fuse/file-system.ts";
import { DIRECT_FORM } from "../inode/direct-form.ts";
import { InodeMarks } from "../inode/inode-marks.ts";
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

test("NodeTable tells of an object that has lost its last name, and of no other", () => {
  const nameless: Oid[] = [];
  const nodes = new NodeTable({
    tree: "/cache/tree",
    limbo: "/cache/limbo",
    rootId: rootNode,
    ids: new NodeIds(),
    onNameless: (oid) => nameless.push(oid),
  });
  const { root } = nodes;
  const oid = "f1".repeat(16) as Oid;
  const node = nodes.add(oid, "file", { state: "local", base: own(1) });
  nodes.link(node, root, parseName("a"));
  nodes.link(node, root, parseName("b"));
  nodes.move(node, { parent: root, name: parseName("a") }, root, parseName("c"));
  nodes.unlink(root, parseName("b"));
  expect(nameless).toEqual([]);
  nodes.unlink(root, parseName("c"));
  expect(nameless).toEqual([oid]);
});

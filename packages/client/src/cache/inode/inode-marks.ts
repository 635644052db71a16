/**
 * What inodes of the cache hold, and which objects they are: on disk, in their marks, and in this process.
 *
 * The mark comes first, so that a crash leaves one that says no less than the truth. Where it may wait is said
 * at {@link InodeMarks.holdRecord}.
 */
import { type Base, isSameVersion, type Oid } from "@izo/core";

import type { CacheNode } from "../tree/cache-node.ts";
import type { NodeTable } from "../tree/node-table.ts";
import type { InodeForm } from "./inode-form.ts";
import { type Holding, nextHolding } from "./object-mark.ts";
import { withUnchangedCtime, withUnchangedTimes } from "./unchanged-times.ts";

export class InodeMarks {
  readonly #nodes: NodeTable;
  readonly #form: InodeForm;

  constructor(nodes: NodeTable, form: InodeForm) {
    this.#nodes = nodes;
    this.#form = form;
  }

  /** Notes what an inode holds, on disk first. */
  setHolding(node: CacheNode, next: Holding): void {
    const holding = nextHolding(node.holding, next);
    const mark = { oid: node.oid, holding };
    if (holding.state === "absent") this.#nodes.kept.drop(node);
    const [fd] = node.descriptors.keys();
    if (fd === undefined) {
      const path = this.#nodes.pathOf(node);
      withUnchangedTimes(this.#nodes, [node], () => this.#form.writeMark(path, mark));
    } else {
      withUnchangedCtime(node, fd, () => this.#form.writeMark(fd, mark));
    }
    node.holding = holding;
    this.#noteMarked(node);
  }

  /**
   * Notes that the local content of an inode is that of an own record. Where that was made from another own
   * record, as of a new file, the mark can go on naming the one below: a crash leaves that, and recovery finds the
   * content by it. So a file that is made and closed is marked once while somebody waits, and again when it is
   * sealed, before which nobody can do anything to it under the record's number.
   *
   * A version of the server's is not enough: who lost the end of the index in a power cut does not know it again.
   */
  holdRecord(node: CacheNode, record: Base, madeFrom: Base): void {
    const { holding } = node;
    const isMarked = holding.state === "local" && isSameVersion(holding.base, madeFrom);
    const next = nextHolding(holding, { state: "local", base: record });
    const mayWait = isMarked && typeof madeFrom !== "number" && node.retiredBase === undefined;
    if (!mayWait || node.isMarkBehind) {
      this.setHolding(node, next);
      return;
    }
    node.holding = next;
    node.isMarkBehind = true;
    this.#nodes.lateMarks.add(node);
  }

  /** Has the mark of an inode say what it holds. @throws the disk's errors */
  writeLate(node: CacheNode): void {
    if (!node.isMarkBehind) return;
    if (node.isNamed) this.setHolding(node, node.holding);
    else this.#noteMarked(node);
  }

  /** {@link writeLate} of all. @throws the disk's errors */
  writeAllLate(): void {
    for (const node of this.#nodes.lateMarks) this.writeLate(node);
  }

  /**
   * The inode is another object from now on.
   *
   * @param version the own record that made local content the object's
   */
  setOid(node: CacheNode, oid: Oid, version?: Base): void {
    if (version !== undefined && node.holding.state === "local")
      node.holding = { ...node.holding, base: version };
    this.#form.writeMark(this.#nodes.pathOf(node), { oid, holding: node.holding });
    this.#nodes.setOid(node, oid);
    this.#noteMarked(node);
  }

  #noteMarked(node: CacheNode): void {
    node.noteMarkWritten();
    if (node.isMarkBehind) this.#nodes.lateMarks.delete(node);
    node.isMarkBehind = false;
  }
}

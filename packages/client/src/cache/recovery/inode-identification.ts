import {
  bytesToText,
  creationOf,
  type Name,
  type Oid,
  resolveOid,
  type TreeObject,
  kindOfMode,
} from "@izo/core";
import type { Stat } from "@izo/sys";

import { examineContent } from "../content/examine-content.ts";
import { type Holding, WHOLE } from "../inode/object-mark.ts";
import { xattrsOf } from "../inode/xattr-records.ts";
import type { CacheNode } from "../tree/cache-node.ts";
import type { ContentRecovery } from "./content-recovery.ts";
import { type Findings, isKnown } from "./findings.ts";
import { provenHolding } from "./proven-holding.ts";

/** Which objects the inodes in a directory are, whatever of their marks and records a crash has left. */
export class InodeIdentification {
  readonly #findings: Findings;
  readonly #contents: ContentRecovery;

  constructor(findings: Findings, contents: ContentRecovery) {
    this.#findings = findings;
    this.#contents = contents;
  }

  /** Which object an inode is: by its mark, by the name that a record gave it, or a new one. */
  identify(directory: CacheNode, name: Name, path: string, stat: Stat): CacheNode {
    const { tree } = this.#findings.options;
    const { visible } = tree;
    const kind = kindOfMode(stat.mode);
    const mark = this.#findings.readMark(path);
    const marked = mark === undefined ? undefined : resolveOid(mark.oid, visible);
    if (mark !== undefined && marked !== undefined && isKnown(marked, visible)) {
      const node = tree.adopt(directory, name, { oid: marked, holding: mark.holding }, stat);
      // An atomic save was cut off: what was saved still names the temporary object, and is the newer.
      if (marked !== mark.oid) this.#findings.reinstated.push(node);
      return node;
    }
    const entry = visible.entry(directory.oid, name);
    const named = entry === undefined ? undefined : visible.object(entry.oid);
    const isNamed = mark === undefined && named !== undefined && named.kind === kind;
    if (isNamed && kind === "file") return this.#identifyByContent(directory, name, stat, named);
    const object = isNamed ? named : this.#logNew(directory, name, stat, mark?.oid);
    const holding: Holding =
      kind === "file" ? { state: "local", base: object.contentVersion } : (mark?.holding ?? WHOLE);
    this.#findings.form.writeMark(path, { oid: object.oid, holding });
    return tree.adopt(directory, name, { oid: object.oid, holding }, stat);
  }

  /**
   * What came from the server and belongs to an object that the index does not know any more, because it
   * lost its end: the log brings it again, and no work is in it.
   */
  isForeign(path: string, stat: Stat): boolean {
    const mark = kindOfMode(stat.mode) === "file" ? this.#findings.form.readMark(path) : undefined;
    const { visible } = this.#findings.options.tree;
    if (mark === undefined || isKnown(resolveOid(mark.oid, visible), visible)) return false;
    const { holding } = mark;
    if (holding.state === "content") return examineContent(path).sha256 === holding.sha256;
    return holding.state === "absent";
  }

  /**
   * A power cut can take the target of a symlink that a file stands for (`mapped-form.ts`). The record
   * has it, and the symlink is made again.
   */
  isHollow(directory: CacheNode, name: Name, path: string, stat: Stat): boolean {
    if (!this.#findings.options.isPowerLost || kindOfMode(stat.mode) !== "symlink") return false;
    const { visible } = this.#findings.options.tree;
    // Without a mark it was cut off in its making, under the name that its record gave it.
    const marked =
      this.#findings.form.readMark(path)?.oid ?? visible.entry(directory.oid, name)?.oid;
    const object = marked && visible.object(resolveOid(marked, visible));
    if (object?.kind !== "symlink") return false;
    return bytesToText(this.#findings.form.readlink(path)) !== object.target;
  }

  /**
   * What was written here to a file that the index does not know any more, because it lost its end: it
   * waits in limbo for the log to bring the file again.
   *
   * @returns whether it was that; nothing is left under the name then
   */
  putBy(directory: CacheNode, name: Name, path: string, stat: Stat): boolean {
    const { tree, versions } = this.#findings.options;
    const mark = kindOfMode(stat.mode) === "file" ? this.#findings.readMark(path) : undefined;
    if (mark?.holding.state !== "local" || !versions.isAhead(mark.holding.base)) return false;
    const oid = resolveOid(mark.oid, tree.visible);
    if (isKnown(oid, tree.visible)) return false;
    const node = tree.adopt(directory, name, { oid, holding: mark.holding }, stat);
    this.#contents.checkStray(node, stat, mark.holding);
    tree.limbo.displace(node, { parent: directory, name });
    return true;
  }

  /** A file without a mark, under the name of a file: cut off in its making, or its mark was lost. */
  #identifyByContent(parent: CacheNode, name: Name, stat: Stat, object: TreeObject): CacheNode {
    const { tree } = this.#findings.options;
    const path = tree.nodes.pathIn(parent, name);
    const holding = provenHolding(path, object);
    const node = tree.adopt(parent, name, { oid: object.oid, holding }, stat);
    // Logged before it is marked: a mark of local content would pass for logged by size and time.
    if (holding.state === "local" && object.sha256 !== null) {
      this.#contents.logContent(node, stat, holding.base);
    } else {
      this.#findings.form.writeMark(path, { oid: object.oid, holding });
    }
    return node;
  }

  /** A name of which no record tells: its record was lost with the end of the log. */
  #logNew(parent: CacheNode, name: Name, stat: Stat, markedOid: Oid | undefined): TreeObject {
    const { tree, newOid } = this.#findings.options;
    const path = tree.nodes.pathIn(parent, name);
    const kind = kindOfMode(stat.mode);
    const made = {
      oid: markedOid ?? newOid(),
      parent: parent.oid,
      name,
      path: tree.nodes.shownPathIn(parent, name),
      conflict: null,
      mode: kind === "special" ? stat.mode : stat.mode & 0o7777,
      uid: stat.uid,
      gid: stat.gid,
      mtimeNs: stat.mtimeNs,
    };
    const target = kind === "symlink" ? bytesToText(this.#findings.form.readlink(path)) : "";
    this.#findings.record(creationOf({ ...made, kind, target, rdev: stat.rdev }), stat);
    const attributes = kind === "symlink" ? [] : xattrsOf(this.#findings.form, path, made);
    for (const attribute of attributes) this.#findings.record(attribute, stat);
    return tree.visible.object(made.oid)!;
  }
}

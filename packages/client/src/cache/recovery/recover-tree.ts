/**
 * Brings cache tree, visible tree and log together after a stop that was not clean (design C6).
 *
 * The cache was changed only through records that were logged first and through replay, so three
 * things can differ: an operation that was logged and not done is done now; a replay that was cut off
 * is finished; and content or names of which no record tells (written and not closed yet, or the log's
 * tail was lost with the power) become records. After a power cut a file can also hold less than its
 * record says: what was there before then stays. What is missing on disk is made again, and is never
 * taken for a removal.
 *
 * Worst outcome: an edit whose record was lost is logged as an edit of the version its mark names, and
 * becomes a conflict copy where that is out of date.
 */
import { rmSync } from "node:fs";

import { EMPTY_SHA256, type Name, type TreeObject } from "@izo/core";
import type { Stat } from "@izo/sys";

import type { Holding } from "../inode/object-mark.ts";
import type { CacheNode } from "../tree/cache-node.ts";
import { osPath } from "../tree/cache-paths.ts";
import { ContentRecovery } from "./content-recovery.ts";
import { Findings, type RecoveryOptions } from "./findings.ts";
import { takeBackHalfExchange } from "./half-exchange.ts";
import { InodeIdentification } from "./inode-identification.ts";
import { LimboRecovery } from "./limbo-recovery.ts";

/** What recovery found, for the log of the mount. */
export interface RecoveryReport {
  /** Names and objects that replay had still to do. */
  readonly completed: number;
  /** Paths of contents and names that became records. */
  readonly logged: readonly string[];
  /** Paths whose last content a power cut took: they show the one before, or none where that was synced. */
  readonly dropped: readonly string[];
}

/** Compares and repairs; idempotent, so that a crash in it costs nothing. Takes a stat per cached inode. */
export function recoverTree(options: RecoveryOptions): RecoveryReport {
  const findings = new Findings(options);
  new TreeRecovery(findings).run();
  const { names, objects, logged, dropped } = findings;
  return { completed: names.length + objects.length, logged, dropped };
}

class TreeRecovery {
  readonly #findings: Findings;
  readonly #contents: ContentRecovery;
  readonly #inodes: InodeIdentification;

  constructor(findings: Findings) {
    this.#findings = findings;
    this.#contents = new ContentRecovery(findings);
    this.#inodes = new InodeIdentification(findings, this.#contents);
  }

  run(): void {
    const { options, names, objects, reinstated } = this.#findings;
    const { tree, applier, log } = options;
    takeBackHalfExchange(log);
    const limbo = new LimboRecovery(this.#findings, this.#contents);
    limbo.takeBackCloses();
    limbo.take((directory) => this.#walk(directory));
    if (tree.nodes.root.isPresent) this.#walk(tree.nodes.root);
    for (const node of reinstated) {
      tree.reinstate(node);
      tree.marks.setOid(node, node.oid);
    }
    applier.apply({ names, objects, moves: [] });
  }

  #walk(directory: CacheNode): void {
    const { tree } = this.#findings.options;
    const seen = new Set<Name>();
    for (const { name, path, stat } of this.#findings.inodesIn(tree.nodes.pathOf(directory))) {
      if (
        this.#inodes.isForeign(path, stat) ||
        this.#inodes.isHollow(directory, name, path, stat)
      ) {
        rmSync(osPath(path));
        continue;
      }
      if (this.#inodes.putBy(directory, name, path, stat)) continue;
      seen.add(name);
      const node = this.#inodes.identify(directory, name, path, stat);
      if (node.kind === "directory" && node.isPresent) this.#walk(node);
      this.#checkObject(node, stat);
      // Asked last: content can have turned out to be a conflict copy's.
      const wanted = tree.visible.entry(directory.oid, name);
      if (wanted?.oid !== node.oid) this.#findings.changeName(directory.oid, name);
    }
    for (const { name } of tree.visible.children(directory.oid)) {
      if (!seen.has(name)) this.#findings.changeName(directory.oid, name);
    }
  }

  #checkObject(node: CacheNode, stat: Stat): void {
    const object = this.#findings.options.tree.objectOf(node);
    if (object === undefined || object.kind !== node.kind) return;
    this.#contents.forgetLost(node);
    const { holding } = node;
    if (node.kind === "file" && holding.state === "local")
      this.#contents.checkLocal(node, stat, object, holding);
    else if (!this.#contents.looksLike(stat, object) || !isHolding(holding, object))
      this.#findings.changeObject(node.oid);
  }
}

function isHolding(holding: Holding, object: TreeObject): boolean {
  if (object.kind !== "file") return true;
  if (holding.state === "absent") return object.sha256 !== EMPTY_SHA256;
  return holding.state !== "content" || holding.sha256 === object.sha256;
}

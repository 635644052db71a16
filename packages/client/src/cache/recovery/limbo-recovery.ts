import { rmSync } from "node:fs";

import { type Oid, resolveOid, kindOfMode } from "@izo/core";

import { contentOid } from "../../sync/push/content-oid.ts";
import { ABSENT, type ObjectMark } from "../inode/object-mark.ts";
import type { CacheNode } from "../tree/cache-node.ts";
import { osPath } from "../tree/cache-paths.ts";
import { isRemovedContent } from "../tree/limbo.ts";
import { isBlank } from "../tree/rescue.ts";
import type { ContentRecovery } from "./content-recovery.ts";
import { type Findings, isKnown } from "./findings.ts";

/** No object has this oid. */
const NOBODY = "0".repeat(32) as Oid;

/** What a crash has left of contents that lost their names: on their way, kept, or removed. */
export class LimboRecovery {
  readonly #findings: Findings;
  readonly #contents: ContentRecovery;

  constructor(findings: Findings, contents: ContentRecovery) {
    this.#findings = findings;
    this.#contents = contents;
  }

  /**
   * A removal was cut off before it took back the CLOSEs that nobody can seal any more (design D9). What
   * nobody knows was not removed: the index may have lost its end, and the log brings it again.
   */
  takeBackCloses(): void {
    const { log, tree } = this.#findings.options;
    for (const { recno, operation } of log.unsealed()) {
      if (operation.opcode !== "CLOSE") continue;
      const { visible } = tree;
      const oid = contentOid(operation, visible);
      if (visible.object(oid) === undefined && isKnown(oid, visible)) log.cancel(recno);
    }
  }

  /**
   * What was on its way is claimed by its name when the changes are applied, or removed there.
   *
   * @param walk looks at what is below a directory
   */
  take(walk: (directory: CacheNode) => void): void {
    const { tree } = this.#findings.options;
    let removedHere: ReadonlySet<Oid> | undefined;
    for (const { name, path, stat } of this.#findings.inodesIn(
      tree.nodes.pathOf(tree.nodes.limbo),
    )) {
      const mark = this.#findings.readMark(path);
      if (isRemovedContent(name)) {
        removedHere ??= this.#removedHere();
        if (mark === undefined || removedHere.has(mark.oid) || !this.#isBack(mark)) {
          rmSync(osPath(path));
          continue;
        }
      }
      if (mark === undefined && !isBlank(path, kindOfMode(stat.mode))) {
        tree.rescue(path);
        continue;
      }
      // Without a mark it was still in the making: nobody claims it.
      const oid = mark === undefined ? NOBODY : resolveOid(mark.oid, tree.visible);
      const holding = mark?.holding ?? ABSENT;
      const node = tree.adopt(tree.nodes.limbo, name, { oid, holding }, stat);
      this.#contents.forgetLost(node);
      if (node.kind === "directory" && node.isPresent) walk(node);
      else if (holding.state === "local") this.#contents.checkLimbo(node, stat, holding);
    }
  }

  /** A removed content has its object again, or will have it when the log has been replayed. */
  #isBack({ oid, holding }: ObjectMark): boolean {
    const { tree, versions } = this.#findings.options;
    if (tree.visible.object(oid) !== undefined) return true;
    return holding.state === "local" && versions.isAhead(holding.base);
  }

  /**
   * The objects that an own record removed. The visible tree does not say so while the index is behind:
   * a removal of a name that it does not know in that version yet is put off until the log is replayed.
   */
  #removedHere(): Set<Oid> {
    const { unsent, frozen } = this.#findings.options.log.pending;
    const removed = new Set<Oid>();
    for (const operation of [
      ...unsent.map((record) => record.operation),
      ...frozen.map((record) => record.submitted.operation),
    ]) {
      if (operation.opcode === "UNLINK") removed.add(operation.oid);
      else if (operation.opcode === "RENAME" && operation.victim !== null && !operation.keepsOid)
        removed.add(operation.victim.oid);
    }
    return removed;
  }
}

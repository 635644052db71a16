/** What InterSync asks of the cache: to show what was replayed, and to hand over and take in contents. */
import { closeSync, constants, openSync } from "node:fs";

import { type ChangeSet, type Oid, resolveOid, type Sha256 } from "@izo/core";

import type { CacheExecutor, LocalContent } from "../sync/cache-executor.ts";
import type { ChangeApplier } from "./apply-changes.ts";
import { osPath } from "./cache-paths.ts";
import type { CacheTree } from "./cache-tree.ts";
import type { ContentFetcher } from "./fetch.ts";

export class CacheContent implements CacheExecutor {
  readonly #tree: CacheTree;
  readonly #applier: ChangeApplier;
  readonly #fetcher: ContentFetcher;

  constructor(tree: CacheTree, applier: ChangeApplier, fetcher: ContentFetcher) {
    this.#tree = tree;
    this.#applier = applier;
    this.#fetcher = fetcher;
  }

  apply(changes: ChangeSet): void {
    this.#applier.apply(changes);
  }

  hasWriter(oid: Oid): boolean {
    return this.#tree.nodes.ofObject(this.#resolve(oid))?.hasWriter === true;
  }

  openContent(oid: Oid): LocalContent | undefined {
    const node = this.#tree.find(this.#resolve(oid));
    if (node === undefined || !node.isPresent || node.kind !== "file") return undefined;
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW;
    const fd = openSync(osPath(this.#tree.nodes.pathOf(node)), flags);
    return { fd, [Symbol.dispose]: () => closeSync(fd) };
  }

  lacksContent(oid: Oid): boolean {
    const resolved = this.#resolve(oid);
    if (this.#tree.visible.object(resolved) === undefined) return true;
    const node = this.#tree.reach(resolved);
    return node !== undefined && !node.isPresent;
  }

  hasContent(oid: Oid, sha256: Sha256): boolean {
    const holding = this.#tree.find(oid)?.holding;
    if (holding?.state === "local") return true;
    return holding?.state === "content" && holding.sha256 === sha256;
  }

  putContent(oid: Oid, sha256: Sha256, bytes: Uint8Array): void {
    // Replica mode is for whole filesets: what nobody has looked at yet is made now.
    if (this.#tree.reach(oid) !== undefined) this.#fetcher.put(oid, sha256, bytes);
  }

  async fetch(oid: Oid, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#tree.reach(oid) !== undefined) await this.#fetcher.fetch(oid);
  }

  /** After an atomic save, what was written to the temporary object is the saved one's. */
  #resolve(oid: Oid): Oid {
    return resolveOid(oid, this.#tree.visible);
  }
}

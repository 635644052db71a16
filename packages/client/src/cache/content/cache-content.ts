/** What InterSync asks of the cache: to show what was replayed, and to hand over and take in contents. */
import { closeSync, constants, openSync } from "node:fs";
import { setImmediate as yieldToRequests } from "node:timers/promises";

import type { ChangeSet, Oid, Recno, Sha256 } from "@izo/core";

import type {
  CacheExecutor,
  LocalContent,
  OwnClose,
  SmallContent,
  WrittenContent,
} from "../../sync/cache-executor.ts";
import { contentOid } from "../../sync/push/content-oid.ts";
import type { ChangeApplier } from "../apply-changes.ts";
import type { CacheNode } from "../tree/cache-node.ts";
import { osPath } from "../tree/cache-paths.ts";
import type { CacheTree } from "../tree/cache-tree.ts";
import type { ContentCopies } from "./content-copies.ts";
import { ContentsAtHand } from "./contents-at-hand.ts";
import type { ContentFetcher } from "./fetch.ts";
import type { LongWrites } from "./long-writes.ts";
import type { OwnVersions } from "./own-versions.ts";

/** Small contents taken in before programs get a turn: some 2 ms of work. */
const PUT_AT_A_TIME = 32;

export interface CacheContentOptions {
  readonly tree: CacheTree;
  readonly versions: OwnVersions;
  readonly applier: ChangeApplier;
  readonly fetcher: ContentFetcher;
  readonly copies: ContentCopies;
  readonly longWrites: LongWrites;
  /** Tells whether a record that the server has not acknowledged names the content. */
  readonly isNamed: (sha256: Sha256) => boolean;
  /** Called when the cache shows a change. */
  readonly onShown?: (changes: ChangeSet) => void;
}

export class CacheContent implements CacheExecutor {
  readonly #tree: CacheTree;
  readonly #versions: OwnVersions;
  readonly #applier: ChangeApplier;
  readonly #fetcher: ContentFetcher;
  readonly #copies: ContentCopies;
  readonly #longWrites: LongWrites;
  readonly #isNamed: CacheContentOptions["isNamed"];
  readonly #onShown: CacheContentOptions["onShown"];
  /** The tree shows all that was replayed: what is not found in it is not there. */
  #isUpToDate = true;

  constructor(options: CacheContentOptions) {
    this.#tree = options.tree;
    this.#versions = options.versions;
    this.#applier = options.applier;
    this.#fetcher = options.fetcher;
    this.#copies = options.copies;
    this.#longWrites = options.longWrites;
    this.#isNamed = options.isNamed;
    this.#onShown = options.onShown;
  }

  apply(changes: ChangeSet): void {
    this.#isUpToDate = false;
    this.#applier.apply(changes);
    this.#isUpToDate = true;
    this.#onShown?.(changes);
    this.#copies.prune(this.#isNamed);
  }

  openWritten(close: OwnClose): WrittenContent | "written" | "gone" | "unknown" {
    const node = this.#holderOf(close);
    if (node === undefined) return this.#isGone(close) ? "gone" : "unknown";
    if (node.hasWriter || this.#longWrites.isDue(node)) return "written";
    this.#tree.marks.writeLate(node);
    const { generation } = node;
    const closes = this.#closesOf(node, close);
    return {
      ...openForReading(this.#tree.nodes.pathOf(node)),
      closes,
      get isUntouched() {
        return node.generation === generation && !node.hasWriter;
      },
      noteHash: () => this.#longWrites.noteSealed(node),
      showElsewhere: () => this.#showElsewhere(node, closes),
    };
  }

  async copyWritten(close: OwnClose): Promise<WrittenContent | undefined> {
    const node = this.#holderOf(close);
    if (node === undefined || !this.#longWrites.isDue(node)) return undefined;
    this.#tree.marks.writeLate(node);
    const closes = this.#closesOf(node, close);
    using file = openForReading(this.#tree.nodes.pathOf(node));
    const copy = await this.#copies.make(file.fd);
    return {
      fd: copy.fd,
      closes,
      isUntouched: true,
      noteHash: (sha256) => {
        copy.keep(sha256);
        this.#longWrites.noteCopied(node, sha256, copy.stat);
      },
      showElsewhere: () => this.#showElsewhere(node, closes),
      [Symbol.dispose]: () => copy[Symbol.dispose](),
    };
  }

  openContent(close: OwnClose): LocalContent | undefined {
    const { sha256 } = close.operation;
    const copy = sha256 === null ? undefined : this.#copies.open(sha256);
    if (copy !== undefined) return copy;
    const node = this.#holderOf(close);
    return node === undefined ? undefined : openForReading(this.#tree.nodes.pathOf(node));
  }

  isWritten(close: OwnClose): boolean {
    const node = this.#holderOf(close);
    return node === undefined ? !this.#isGone(close) : node.hasWriter;
  }

  hasContent(oid: Oid, sha256: Sha256): boolean {
    // A new cache is asked for every file, before anybody has looked into it.
    if (!this.#tree.nodes.root.isPresent) return false;
    const holding = this.#tree.find(oid)?.holding;
    if (holding?.state === "local") return true;
    return holding?.state === "content" && holding.sha256 === sha256;
  }

  async putContents(contents: readonly SmallContent[]): Promise<void> {
    const atHand = new ContentsAtHand(contents);
    try {
      for (const [index, { oid, sha256, bytes }] of contents.entries()) {
        // Replica mode is for whole filesets: what nobody has looked at yet is made now.
        if (this.#tree.reach(oid, atHand) !== undefined) this.#fetcher.put(oid, sha256, bytes);
        // oxlint-disable-next-line no-await-in-loop -- this is the pause
        if ((index + 1) % PUT_AT_A_TIME === 0) await yieldToRequests();
      }
    } finally {
      this.#fetcher.noteArrived(atHand.takenBytes);
    }
  }

  async fetch(oid: Oid, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#tree.reach(oid) !== undefined) await this.#fetcher.fetch(oid);
  }

  /** The open CLOSEs that get what an inode holds now. */
  #closesOf({ holding }: CacheNode, { recno }: OwnClose): Recno[] {
    const closes = new Set(this.#versions.openClosesOf(recno));
    if (holding.state !== "local") return [...closes];
    return [...closes.union(new Set(this.#versions.openCloses(holding.base)))];
  }

  #showElsewhere(node: CacheNode, closes: readonly Recno[]): void {
    const { visible } = this.#tree;
    const shown = new Set<Oid>();
    for (const recno of closes) {
      const close = this.#versions.ownClose(recno);
      if (close !== undefined) shown.add(contentOid(close, visible));
    }
    shown.delete(node.oid);
    if (shown.size === 0) return;
    const objects = Array.from(shown, (oid) => ({
      oid,
      before: undefined,
      after: visible.object(oid),
    }));
    this.#applier.apply({ names: [], objects, moves: [] });
  }

  /**
   * The inode that was written when the CLOSE was made. The object says where to look, and the version
   * in the inode's mark whether it is the one: others can stand under the object by now, and it can wait
   * in limbo for the server to have its content.
   */
  #holderOf(close: OwnClose): CacheNode | undefined {
    const standing = this.#standingFor(close);
    if (standing !== undefined && this.#holds(standing, close)) return standing;
    for (const node of this.#tree.nodes.limbo.children.values()) {
      if (this.#holds(node, close)) return node;
    }
    return standing !== undefined && this.#isUnmarked(standing, close) ? standing : undefined;
  }

  #standingFor({ operation }: OwnClose): CacheNode | undefined {
    return this.#tree.find(contentOid(operation, this.#tree.visible));
  }

  #holds({ holding }: CacheNode, { recno }: OwnClose): boolean {
    return holding.state === "local" && this.#versions.isBuiltOn(holding.base, recno);
  }

  /**
   * A crash came between the CLOSE and the mark that names it, which names the version below it still;
   * or the CLOSE was made under an id that this client had before, and was numbered anew since.
   */
  #isUnmarked({ holding }: CacheNode, { recno, operation }: OwnClose): boolean {
    if (holding.state !== "local") return false;
    // As it was made: before it is sent, several become one with the base of the first.
    const { contentBase } = this.#versions.ownClose(recno) ?? operation;
    return (
      this.#versions.isSame(holding.base, contentBase) || this.#versions.isOfFormerId(holding.base)
    );
  }

  /** Of an object that is not known again after a power cut nothing is gone. */
  #isGone({ recno, operation }: OwnClose): boolean {
    if (!this.#isUpToDate) return false;
    const { visible } = this.#tree;
    const oid = contentOid(operation, visible);
    if (visible.object(oid) !== undefined) return this.#tree.reach(oid) !== undefined;
    if (visible.tombstone(oid) !== undefined) return true;
    return !this.#versions.isAhead({ peer: this.#versions.peer, recno });
  }
}

function openForReading(path: string): LocalContent {
  const fd = openSync(
    osPath(path),
    constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NOATIME,
  );
  return { fd, [Symbol.dispose]: () => closeSync(fd) };
}

import { closeSync } from "node:fs";

import type { Actor, Base, Name, ObjectKind, Oid } from "@izo/core";

import { type NodeId, rootNode } from "../../fuse/file-system.ts";
import type { Arrival } from "../arriving/arrival.ts";
import { UnloggedWrites } from "../content/unlogged-writes.ts";
import type { Holding } from "../inode/object-mark.ts";
import { SeldomMap } from "./seldom-map.ts";

/** A name under which a node stands in the cache tree. */
export interface NodeLink {
  readonly parent: CacheNode;
  readonly name: Name;
}

/** What is known of a descriptor that somebody has open on a node. */
export interface OpenDescriptor {
  readonly isWritable: boolean;
  /** Opened for reading and nothing else, on the content that the node had: the next one can have it. */
  readonly isPlain?: boolean;
  /** Opened for writing alone: mmap(2) gives nobody a mapping of it that would outlive it. */
  readonly isUnmappable?: boolean;
  /** Nobody's: it is watched for writes through mappings that were left behind. */
  readonly isWatch?: boolean;
}

/**
 * One inode of the cache, as this process knows it (design C3). It can stand under several names, and
 * under none while it is still open.
 */
export class CacheNode {
  readonly id: NodeId;
  readonly kind: ObjectKind;
  /** The object that the inode is now: an atomic save or a conflict can make it another. */
  oid: Oid;
  /** The object that it was at first: its inode number says that one for as long as somebody knows it. */
  readonly firstOid: Oid;
  /** See `inode-number.ts`; undefined until somebody asks. */
  ino: bigint | undefined;
  holding: Holding;
  /** Where it stands; only the root and limbo have none and a path of their own. */
  links: readonly NodeLink[] = [];
  /**
   * How many more names its object has, in directories whose entries were not made yet: no links of the inode.
   * Undefined until somebody asks (`CacheTree.countNames`); a file that was made here has none.
   */
  namesToCome: number | undefined = 0;
  /** Known entries of a directory. When it is `whole`, what is missing here can still be on disk. */
  readonly children = new SeldomMap<Name, CacheNode>();
  /** No entry is on disk that is not in {@link children}: what is missing there is missing. */
  knowsAllChildren = false;
  /** References that the kernel's side holds. */
  references = 0;
  /** Descriptors open on the inode, with what each may do. */
  readonly descriptors = new SeldomMap<number, OpenDescriptor>();
  /**
   * Descriptors of those who read a content while it comes. They are of another inode than the placeholder
   * that stands for it, which they keep as {@link remains}, until that has come and takes its place.
   */
  readonly arriving = new SeldomMap<
    number,
    { readonly arrival: Arrival; readonly abort: AbortController }
  >();
  /** Names the inode (O_PATH) when its last name is gone and nobody has it open who could be asked. */
  remains: number | undefined;
  /** Of a directory: a descriptor by which what is far below it is reached (`NodeTable.pathOf`). */
  anchor: number | undefined;
  /** It was made without a name, and has not got one yet. */
  isNameless = false;
  /** Its last name was taken away here, and the inode waits in limbo, or did (`removed-contents.ts`). */
  awaitsRemoval = false;
  readonly unlogged = new UnloggedWrites();
  /** What it held before it was opened for writing, while nothing was written yet as far as is known. */
  heldBefore: Holding | undefined;
  /** Who opened it for writing last: the author of what is logged when a descriptor is flushed. */
  writer: Actor | undefined;
  /**
   * Set when another peer replaced or removed the content while this inode was open for writing: the
   * version that its writers know. What they write is an edit of that version (design C3).
   */
  retiredBase: Base | undefined;
  /** The change time to show while the inode has another on disk; see `withUnchangedTimes`. */
  shownCtime: { readonly actualNs: bigint; readonly shownNs: bigint } | undefined;
  /**
   * Goes up whenever somebody gets the means to change the content. Only this process writes to the
   * cache, so a content is the one that was hashed while this stays as it was and there is no writer;
   * times would not do, because two writes within one tick of the clock have the same.
   */
  generation = 0;
  /** How often the mark was written, and which of these times was the last to become durable. */
  #markWrites = 1;
  #syncedMarkWrites = 0;
  /** The mark names the version that the one in {@link holding} was made from; see `InodeMarks.holdRecord`. */
  isMarkBehind = false;

  constructor(id: NodeId, oid: Oid, kind: ObjectKind, holding: Holding) {
    this.id = id;
    this.oid = oid;
    this.firstOid = oid;
    this.kind = kind;
    this.holding = holding;
  }

  /** The mark was changed, so the next fsync has to carry more than the data. */
  get isMarkDirty(): boolean {
    return this.#syncedMarkWrites < this.#markWrites;
  }

  noteMarkWritten(): void {
    this.#markWrites += 1;
  }

  /** Has the mark made durable as it is now: what is written to it meanwhile may come too late. */
  async syncMark(sync: () => Promise<void>): Promise<void> {
    const written = this.#markWrites;
    await sync();
    this.#syncedMarkWrites = Math.max(this.#syncedMarkWrites, written);
  }

  /** The content, or all entries, can be used as they are. */
  get isPresent(): boolean {
    return this.holding.state !== "absent";
  }

  /** It stands in the tree, or in limbo: there is a path to it. */
  get isNamed(): boolean {
    return this.links.length > 0 || this.id === rootNode;
  }

  /** Somebody may be writing through a mapping. */
  get isWatched(): boolean {
    for (const { isWatch } of this.descriptors.values()) if (isWatch === true) return true;
    return false;
  }

  get hasWriter(): boolean {
    for (const { isWritable } of this.descriptors.values()) if (isWritable) return true;
    return false;
  }

  /** Somebody reads the content before all of it is here. */
  get isArriving(): boolean {
    return this.arriving.size > 0;
  }

  /** Some descriptor of the inode, if only one that names it. */
  get anyDescriptor(): number | undefined {
    return this.descriptors.keys().next().value ?? this.remains;
  }

  /** Takes in a descriptor that was opened on the inode. */
  addDescriptor(fd: number, isWritable: boolean, isPlain = false, isUnmappable = false): void {
    this.descriptors.set(fd, { isWritable, isPlain, isUnmappable });
    if (isWritable) this.generation += 1;
  }

  /** The content that was read while it came is the inode's now: its readers have the inode open. */
  noteArrived(arrival: Arrival): void {
    for (const [fd, reader] of this.arriving) {
      if (reader.arrival !== arrival) continue;
      this.arriving.delete(fd);
      this.descriptors.set(fd, { isWritable: false });
      arrival.closeReader();
    }
    if (!this.isArriving) this.dropRemains();
  }

  /** Who knew another node by this number, or had it open, has this one now; its watches stay behind. */
  takeOver(former: CacheNode): void {
    this.references = former.references;
    for (const [fd, descriptor] of former.descriptors) {
      if (descriptor.isWatch === true) continue;
      former.descriptors.delete(fd);
      this.descriptors.set(fd, descriptor);
    }
  }

  /** The inode has a name, or a descriptor that does more than name it. */
  dropRemains(): void {
    if (this.remains !== undefined) closeSync(this.remains);
    this.remains = undefined;
  }

  dropAnchor(): void {
    if (this.anchor !== undefined) closeSync(this.anchor);
    this.anchor = undefined;
  }

  /** Nobody outside the table can name it. */
  get isIdle(): boolean {
    const isOpen = this.descriptors.size > 0 || this.isArriving;
    return this.references === 0 && !isOpen && this.children.size === 0;
  }
}

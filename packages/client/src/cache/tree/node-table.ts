import { ROOT_OID, type Name, type ObjectKind, type Oid } from "@izo/core";

import { ErrnoError } from "../../fuse/errno.ts";
import type { NodeId } from "../../fuse/file-system.ts";
import { KeptDescriptors } from "../content/kept-descriptors.ts";
import { ABSENT, WHOLE, type Holding } from "../inode/object-mark.ts";
import { CacheNode, type NodeLink } from "./cache-node.ts";
import { isLongPath, openAnchor } from "./long-path.ts";
import type { NodeIds } from "./node-ids.ts";

/**
 * Nodes kept in memory beyond those that the kernel refers to, at about 400 bytes each. An idle one
 * that is dropped costs a stat and the reading of its mark when it is next looked up.
 */
const MAX_NODES = 250_000;

/**
 * The inodes of the cache tree that this process has met: by number, by object, and by name.
 *
 * Only this process changes the cache tree, and always through here, so what the table holds is what
 * is on disk. It holds nothing that the marks on disk do not say.
 */
export class NodeTable {
  readonly root: CacheNode;
  /** Stands above what has left the tree and is not gone yet. */
  readonly limbo: CacheNode;
  readonly kept = new KeptDescriptors();
  /** Inodes of which the mark is behind what this process knows ({@link InodeMarks}). */
  readonly lateMarks = new Set<CacheNode>();
  readonly #treePath: string;
  readonly #limboPath: string;
  readonly #byId = new Map<NodeId, CacheNode>();
  readonly #byOid = new Map<Oid, CacheNode>();
  readonly #ids: NodeIds;
  readonly #onNameless: ((oid: Oid) => void) | undefined;
  readonly #onForgotten: ((node: CacheNode) => void) | undefined;

  constructor(places: {
    readonly tree: string;
    readonly limbo: string;
    /** The number of the tree's own directory. */
    readonly rootId: NodeId;
    readonly ids: NodeIds;
    /** The object has lost its last name here. */
    readonly onNameless?: ((oid: Oid) => void) | undefined;
    /** There are too many nodes: this one is forgotten, its inode keeps its names. */
    readonly onForgotten?: (node: CacheNode) => void;
  }) {
    this.#treePath = places.tree;
    this.#limboPath = places.limbo;
    this.#ids = places.ids;
    this.#onNameless = places.onNameless;
    this.#onForgotten = places.onForgotten;
    this.root = new CacheNode(places.rootId, ROOT_OID, "directory", ABSENT);
    this.limbo = new CacheNode(this.#ids.next(), "" as Oid, "directory", WHOLE);
    this.#byId.set(this.root.id, this.root);
    this.#byOid.set(ROOT_OID, this.root);
  }

  /** @throws ErrnoError ESTALE for a node that was forgotten, which would be a fault of the driver. */
  get(id: NodeId): CacheNode {
    const node = this.#byId.get(id);
    if (node === undefined)
      throw new ErrnoError("ESTALE", `Cannot use node ${id}: it is forgotten`);
    return node;
  }

  /** The inode that is the object now, if it was met. */
  ofObject(oid: Oid): CacheNode | undefined {
    return this.#byOid.get(oid);
  }

  /** All that are known. */
  all(): Iterable<CacheNode> {
    return this.#byId.values();
  }

  /** Those that somebody has open for writing. */
  *withWriter(): Iterable<CacheNode> {
    for (const node of this.#byId.values()) if (node.hasWriter) yield node;
  }

  /** Tells whether a number is that of a node of this table. */
  has(id: NodeId): boolean {
    return this.#byId.has(id);
  }

  /** @param id the number of a node that another table has given up */
  add(oid: Oid, kind: ObjectKind, holding: Holding, id = this.#ids.next()): CacheNode {
    if (this.#byId.size > MAX_NODES) this.#dropIdle();
    const node = new CacheNode(id, oid, kind, holding);
    this.#byId.set(node.id, node);
    this.#byOid.set(oid, node);
    return node;
  }

  /** The inode is another object from now on; what was that object is a nameless remainder. */
  setOid(node: CacheNode, oid: Oid): void {
    if (this.#byOid.get(node.oid) === node) this.#byOid.delete(node.oid);
    node.oid = oid;
    node.namesToCome = undefined;
    this.#byOid.set(oid, node);
  }

  link(node: CacheNode, parent: CacheNode, name: Name): void {
    node.links = [...node.links, { parent, name }];
    parent.children.set(name, node);
  }

  /** Takes a name away. A node that loses its last one stays while it is referred to or open. */
  unlink(parent: CacheNode, name: Name): void {
    const node = parent.children.get(name);
    if (node === undefined) return;
    parent.children.delete(name);
    const index = indexOfLink(node, { parent, name });
    if (index >= 0) node.links = node.links.toSpliced(index, 1);
    if (node.links.length > 0) return;
    if (this.#byOid.get(node.oid) === node) {
      this.#byOid.delete(node.oid);
      this.#onNameless?.(node.oid);
    }
    this.collect(node);
  }

  move(
    node: CacheNode,
    from: { parent: CacheNode; name: Name },
    parent: CacheNode,
    name: Name,
  ): void {
    this.link(node, parent, name);
    this.unlink(from.parent, from.name);
  }

  /** Two inodes change places. */
  exchange(a: CacheNode, atA: NodeLink, b: CacheNode, atB: NodeLink): void {
    const [indexA, indexB] = [indexOfLink(a, atA), indexOfLink(b, atB)];
    a.links = a.links.with(indexA, atB);
    b.links = b.links.with(indexB, atA);
    atA.parent.children.set(atA.name, b);
    atB.parent.children.set(atB.name, a);
  }

  /** Another inode takes over all names of the object; the old one keeps those who have it open. */
  replace(old: CacheNode, next: CacheNode): void {
    for (const { parent, name } of takeLinks(old)) {
      parent.children.delete(name);
      this.link(next, parent, name);
    }
    next.namesToCome = undefined;
    this.#byOid.set(next.oid, next);
    this.collect(old);
  }

  /** Forgets a node that has no name and that nobody refers to. */
  collect(node: CacheNode): void {
    if (node.links.length === 0) this.kept.drop(node);
    // One that was given up has its number in another table, and may be back here as another node.
    if (this.#byId.get(node.id) !== node) return;
    if (node.links.length === 0 && node.isIdle && node !== this.root && node !== this.limbo) {
      this.#byId.delete(node.id);
      if (this.#byOid.get(node.oid) === node) this.#byOid.delete(node.oid);
      this.lateMarks.delete(node);
      node.dropRemains();
      node.dropAnchor();
    }
  }

  /** Forgets a node with all its names, because another table goes on with its number. */
  giveUp(node: CacheNode): void {
    this.kept.drop(node);
    this.lateMarks.delete(node);
    node.dropAnchor();
    for (const { parent, name } of takeLinks(node)) parent.children.delete(name);
    this.#byId.delete(node.id);
    if (this.#byOid.get(node.oid) === node) this.#byOid.delete(node.oid);
  }

  /**
   * Where an inode is on disk, by its first name. It has room for one more name: what is so far down that the
   * kernel would not take all names at once is reached from a directory above, which is kept open.
   *
   * @throws ErrnoError ENOENT when it has no name any more; ENOTDIR where a name above it is no
   *   directory's
   */
  pathOf(node: CacheNode): string {
    const path = this.#pathFrom(node, this.#treePath, this.#limboPath);
    return isLongPath(path) ? this.#shortPathOf(node) : path;
  }

  pathIn(parent: CacheNode, name: Name): string {
    requireDirectory(parent);
    return `${this.pathOf(parent)}/${name}`;
  }

  /** The path that programs know, `/a/b`, for records and messages; `/` for the root. */
  shownPath(node: CacheNode): string {
    return this.#pathFrom(node, "", "") || "/";
  }

  shownPathIn(parent: CacheNode, name: Name): string {
    return `${this.#pathFrom(parent, "", "")}/${name}`;
  }

  #pathFrom(node: CacheNode, tree: string, limbo: string): string {
    let path = "";
    for (let at = node; ;) {
      if (at === this.root) return tree + path;
      if (at === this.limbo) return limbo + path;
      const link = at.links[0];
      if (link === undefined)
        throw new ErrnoError("ENOENT", `Cannot find node ${node.id}: it has no name any more`);
      path = `/${link.name}${path}`;
      at = link.parent;
      requireDirectory(at);
    }
  }

  /** A path as {@link pathOf} gives it, by way of anchors: directories above that are kept open. */
  #shortPathOf(node: CacheNode): string {
    const way: CacheNode[] = [];
    let at = node;
    do {
      way.push(at);
      at = at.links[0]!.parent;
    } while (at.anchor === undefined && at !== this.root && at !== this.limbo);
    let path = at.anchor === undefined ? this.pathOf(at) : `/proc/self/fd/${at.anchor}`;
    for (const next of way.toReversed()) {
      const { name } = next.links[0]!;
      if (isLongPath(`${path}/${name}`)) path = `/proc/self/fd/${(at.anchor = openAnchor(path))}`;
      path = `${path}/${name}`;
      at = next;
    }
    return path;
  }

  /** In order of their making, so what was met long ago goes first. */
  #dropIdle(): void {
    for (const node of this.#byId.values()) {
      if (this.#byId.size <= MAX_NODES / 2) return;
      if (!node.isIdle || node.isMarkBehind || node === this.root) continue;
      this.#onForgotten?.(node);
      for (const { parent, name } of takeLinks(node)) {
        parent.children.delete(name);
        parent.knowsAllChildren = false;
      }
      this.collect(node);
    }
  }
}

function takeLinks(node: CacheNode): readonly NodeLink[] {
  const { links } = node;
  node.links = [];
  return links;
}

function indexOfLink({ links }: CacheNode, { parent, name }: NodeLink): number {
  return links.findIndex((link) => link.parent === parent && link.name === name);
}

/**
 * What a server logs is held to be a tree before it comes here. Should it not be one all the same, no path
 * may lead through a symlink: it would end outside of the cache.
 */
function requireDirectory({ id, kind }: CacheNode): void {
  if (kind === "directory") return;
  throw new ErrnoError("ENOTDIR", `Cannot find what is in node ${id}: it is a ${kind}`);
}

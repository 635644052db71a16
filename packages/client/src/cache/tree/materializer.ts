/**
 * Makes the entries of cache directories on disk, once somebody looks: placeholders, or files with their content where
 * that is at hand (design C1). What a directory holds is made before its mark says that it is whole, and is made again
 * where a crash came before the mark.
 */
import { readdirSync, rmSync } from "node:fs";

import {
  bytesToText,
  type Entry,
  linkCount,
  type Name,
  type Oid,
  type StateReader,
  type TreeObject,
  kindOfMode,
} from "@izo/core";
import { AT_FDCWD, linkat } from "@izo/sys";

import type { ContentsAtHand } from "../content/contents-at-hand.ts";
import type { InodeForm } from "../inode/inode-form.ts";
import type { InodeMarks } from "../inode/inode-marks.ts";
import { makeInode, updateAttributes, updateTime } from "../inode/inode.ts";
import { WHOLE } from "../inode/object-mark.ts";
import { withUnchangedTimes } from "../inode/unchanged-times.ts";
import { isDiskFull } from "../quota/disk-full.ts";
import type { CacheNode } from "./cache-node.ts";
import { osPath } from "./cache-paths.ts";
import { FilesToMake } from "./files-to-make.ts";
import type { Limbo } from "./limbo.ts";
import type { NodeTable } from "./node-table.ts";
import { isBlank } from "./rescue.ts";

/** Of the tree that it makes. */
export interface MaterializerOptions {
  readonly form: InodeForm;
  readonly nodes: NodeTable;
  readonly marks: InodeMarks;
  readonly limbo: Limbo;
  readonly visible: () => StateReader;
  /** The node of a name that is on disk; makes nothing. */
  readonly peek: (directory: CacheNode, name: Name) => CacheNode | undefined;
  /** The inode of an object where it is in the tree already; makes nothing. */
  readonly find: (oid: Oid) => CacheNode | undefined;
  /** Puts aside what nothing explains. */
  readonly rescue: (path: string) => void;
  /** An entry that could not be made; the rest of its directory was. */
  readonly onProblem: (path: string, error: unknown) => void;
}

export class Materializer {
  readonly #options: MaterializerOptions;

  constructor(options: MaterializerOptions) {
    this.#options = options;
  }

  /** Makes the directory's entries on disk, once; those with their content whose content is at hand. */
  list(directory: CacheNode, atHand?: ContentsAtHand): void {
    const { nodes, marks } = this.#options;
    if (directory.isPresent) return;
    withUnchangedTimes(nodes, [directory], () => {
      this.#clearUnlisted(directory);
      // From here on: a table that gets too large forgets entries, and then it is not so any more.
      directory.knowsAllChildren = true;
      this.#makeEntries(directory, atHand);
      marks.setHolding(directory, WHOLE);
    });
  }

  #makeEntries(directory: CacheNode, atHand: ContentsAtHand | undefined): void {
    const { form, nodes } = this.#options;
    const visible = this.#options.visible();
    const makeAlone = (entry: Entry): void => this.place(directory, entry, atHand);
    using files = new FilesToMake({ form, nodes, visible, directory, atHand, makeAlone });
    for (const entry of visible.children(directory.oid)) if (!files.take(entry)) makeAlone(entry);
  }

  /** Puts an object under a name: from limbo, as one more name of its inode, or made new. */
  place(
    parent: CacheNode,
    { name, oid }: Pick<Entry, "name" | "oid">,
    atHand?: ContentsAtHand,
  ): void {
    const { nodes, onProblem } = this.#options;
    const standing = parent.children.get(name);
    if (standing?.oid === oid) return;
    const object = this.#options.visible().object(oid);
    if (object === undefined) return;
    try {
      this.#place(parent, name, object, atHand);
    } catch (error) {
      // One entry that this machine cannot hold must not keep all others away; a full disk holds none.
      if (isDiskFull(error, nodes.pathOf(parent))) throw error;
      onProblem(nodes.shownPathIn(parent, name), error);
    }
  }

  #place(parent: CacheNode, name: Name, object: TreeObject, atHand?: ContentsAtHand): void {
    const { form, nodes, limbo } = this.#options;
    const path = nodes.pathIn(parent, name);
    const known = nodes.ofObject(object.oid);
    if (known !== undefined) known.namesToCome = undefined;
    const limboLink = known?.links.find((link) => link.parent === nodes.limbo);
    if (known !== undefined && limboLink !== undefined) {
      limbo.move(known, limboLink, parent, name);
      return;
    }
    const other = object.kind !== "directory" ? this.#otherName(object.oid) : undefined;
    if (other !== undefined) {
      withUnchangedTimes(nodes, [other], () => {
        linkat(AT_FDCWD, osPath(nodes.pathOf(other)), AT_FDCWD, osPath(path));
      });
      nodes.link(other, parent, name);
      return;
    }
    const holding = makeInode(form, path, object, atHand?.take(object));
    const node = nodes.add(object.oid, object.kind, holding);
    nodes.link(node, parent, name);
    node.namesToCome = undefined;
  }

  /** Another name of the object that is in the tree, to link to. */
  #otherName(oid: Oid): CacheNode | undefined {
    const { nodes, visible, find } = this.#options;
    const met = nodes.ofObject(oid);
    if (met !== undefined) return met.links.length > 0 ? met : undefined;
    return linkCount(visible(), oid, 2) > 1 ? find(oid) : undefined;
  }

  /**
   * What an interrupted listing has left. Its placeholders are made again; what came from elsewhere and
   * has content goes to limbo, from where its name claims it. What no listing makes is put aside.
   */
  #clearUnlisted(directory: CacheNode): void {
    const { nodes, limbo, peek, rescue } = this.#options;
    const path = nodes.pathOf(directory);
    for (const bytes of readdirSync(osPath(path), { encoding: "buffer" })) {
      const name = bytesToText(bytes) as Name;
      const node = peek(directory, name);
      const at = `${path}/${name}`;
      if (node === undefined && !this.#isHalfMade(directory, name, at)) rescue(at);
      else if (node !== undefined && this.#hasContent(node, at)) {
        this.#refresh(node, at);
        limbo.displace(node, { parent: directory, name });
      } else rmSync(osPath(at), { recursive: true, force: true });
      if (node !== undefined) nodes.unlink(directory, name);
    }
  }

  /** Nobody could tell what is in no listed directory that its object has changed. */
  #refresh(node: CacheNode, path: string): void {
    const object = this.#options.visible().object(node.oid);
    if (object === undefined || node.holding.state !== "content") return;
    updateAttributes(this.#options.form, path, object);
    updateTime(path, object);
  }

  /** Tells whether an inode without a mark is what the listing was making under this name. */
  #isHalfMade(directory: CacheNode, name: Name, path: string): boolean {
    const { form, visible } = this.#options;
    const entry = visible().entry(directory.oid, name);
    const object = entry === undefined ? undefined : visible().object(entry.oid);
    const stat = form.stat(path);
    if (stat === undefined || object?.kind !== kindOfMode(stat.mode)) return false;
    if (object.kind !== "symlink") return isBlank(path, object.kind);
    return bytesToText(form.readlink(path)) === object.target;
  }

  /** Tells whether an inode has what its object shows, so that it must or need not be made again. */
  #hasContent(node: CacheNode, path: string): boolean {
    const { kind, holding, oid } = node;
    if (kind === "directory") return holding.state === "whole" || !isBlank(path, kind);
    if (holding.state === "local") return true;
    const shown = this.#options.visible().object(oid)?.sha256;
    return holding.state === "content" && holding.sha256 === shown;
  }
}

/**
 * Puts contents that are here, and checked, into their place in the cache: a placeholder is filled where it
 * stands, anything else is given a new inode (design C3, C4). What was there stays until the new is whole,
 * and descriptors that are open on it keep it.
 *
 * A crash leaves a file in staging, which is emptied at start. The mark that says "here" comes with the inode.
 */
import { closeSync, constants, openSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

import type { Oid, Sha256, TreeObject } from "@izo/core";
import { writeWhole } from "@izo/sys";

import type { Arrival } from "../arriving/arrival.ts";
import { giveAttributes } from "../inode/inode.ts";
import { invalidateNames, namesOf } from "../notify/invalidate-names.ts";
import type { KernelNotifier } from "../notify/kernel-notifier.ts";
import { replacedNames } from "../notify/watched-names.ts";
import type { CacheNode } from "../tree/cache-node.ts";
import type { CacheTree } from "../tree/cache-tree.ts";
import { fillPlaceholder } from "./fill-placeholder.ts";

export interface ContentInstallerOptions {
  readonly tree: CacheTree;
  readonly stagingPath: string;
  readonly notifier: KernelNotifier;
  /** A content has come into the cache. */
  readonly onArrived: (bytes: number) => void;
}

export class ContentInstaller {
  readonly #tree: CacheTree;
  readonly #notifier: KernelNotifier;
  readonly #stagingPath: string;
  readonly #onArrived: (bytes: number) => void;
  #count = 0;

  constructor({ tree, stagingPath, notifier, onArrived }: ContentInstallerOptions) {
    this.#tree = tree;
    this.#notifier = notifier;
    this.#stagingPath = stagingPath;
    this.#onArrived = onArrived;
  }

  /** The node and object to fetch for; undefined where nothing has to be fetched. */
  wanted(oid: Oid): { node: CacheNode; object: TreeObject } | undefined {
    const node = this.#tree.find(oid);
    const object = this.#tree.visible.object(oid);
    if (node === undefined || object === undefined || object.kind !== "file") return undefined;
    const { holding } = node;
    // Local content is newer than anything the log knows, until a record says otherwise.
    if (holding.state === "local") return undefined;
    if (holding.state === "content" && holding.sha256 === object.sha256) return undefined;
    return { node, object };
  }

  /** Puts a content in its place, unless the object shows something else by now. */
  installWanted(oid: Oid, sha256: Sha256, path: string, arrival?: Arrival): boolean {
    const wanted = this.wanted(oid);
    if (wanted?.object.sha256 !== sha256) return false;
    this.#install(wanted.node, wanted.object, sha256, path, arrival);
    return true;
  }

  /** Takes a content that was checked against its hash, unless the object shows something else by now. */
  put(oid: Oid, sha256: Sha256, bytes: Uint8Array): void {
    const wanted = this.wanted(oid);
    if (wanted?.object.sha256 !== sha256) return;
    const { node, object } = wanted;
    if (!node.isPresent && node.descriptors.size === 0 && !node.isArriving) {
      fillPlaceholder(this.#tree, node, object, { sha256, bytes });
      this.#onArrived(bytes.length);
      this.#notifier.invalidateNode(node.id, namesOf(node));
      return;
    }
    const path = this.stage();
    const fd = openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR, 0o600);
    try {
      writeWhole(fd, bytes);
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    } finally {
      closeSync(fd);
    }
    this.#install(node, object, sha256, path);
  }

  /** A new file, for a content to come. */
  stage(): string {
    this.#count += 1;
    return join(this.#stagingPath, `content-${this.#count}`);
  }

  /** What comes out where it goes to must not be taken for the rest of an interrupted fetch, after a crash. */
  #restage(path: string): string {
    const staged = this.stage();
    renameSync(path, staged);
    return staged;
  }

  #install(
    node: CacheNode,
    object: TreeObject,
    sha256: Sha256,
    path: string,
    arrival?: Arrival,
  ): void {
    const holding = { state: "content", sha256 } as const;
    const fd = openSync(path, constants.O_RDWR);
    try {
      const { form } = this.#tree;
      giveAttributes(form, fd, object);
      form.writeMark(fd, { oid: object.oid, holding });
    } finally {
      closeSync(fd);
    }
    const isShown = node.isPresent && node.holding.state === "content";
    const next =
      arrival === undefined
        ? this.#tree.replaceInode(node, path, holding)
        : this.#tree.replaceInode(node, this.#restage(path), holding, true);
    if (arrival !== undefined) next.noteArrived(arrival);
    this.#onArrived(object.sizeBytes);
    invalidateNames(this.#notifier, next);
    // That a content comes which was only awaited changes nothing for anybody.
    if (isShown)
      for (const change of replacedNames(node, next)) this.#notifier.tellWatchers?.(change);
  }
}

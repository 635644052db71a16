import { closeSync, constants, openSync } from "node:fs";

import type { Entry, StateReader, TreeObject } from "@izo/core";

import type { ContentsAtHand } from "../content/contents-at-hand.ts";
import type { InodeForm, NewFile } from "../inode/inode-form.ts";
import { holdingOfNew } from "../inode/inode.ts";
import type { CacheNode } from "./cache-node.ts";
import { osPath } from "./cache-paths.ts";
import type { NodeTable } from "./node-table.ts";

const NOTHING = new Uint8Array();

/** Made by one call: some milliseconds. */
const MADE_AT_ONCE = 128;

export interface FilesToMakeOptions {
  readonly form: InodeForm;
  readonly nodes: NodeTable;
  readonly visible: StateReader;
  readonly directory: CacheNode;
  readonly atHand: ContentsAtHand | undefined;
  /** Makes one by itself, which also tells what is wrong. */
  readonly makeAlone: (entry: Entry) => void;
}

/**
 * The plain files of a directory that is being listed for the first time: they are made many at a time. Others, and those
 * with which that fails, are made one by one. Disposing of it makes the last ones.
 */
export class FilesToMake implements Disposable {
  readonly #options: FilesToMakeOptions;
  /** Undefined where this form, or this directory, has all of them made one by one. */
  readonly #dirFd: number | undefined;
  #waiting: { readonly entry: Entry; readonly file: NewFile }[] = [];

  constructor(options: FilesToMakeOptions) {
    this.#options = options;
    const { form, nodes, directory } = options;
    const path = nodes.pathOf(directory);
    if (form.makeFiles === undefined) return;
    // What its files inherit is taken away from them again.
    if (form.getXattr(path, "system.posix_acl_default") !== undefined) return;
    const flags = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;
    this.#dirFd = openSync(osPath(path), flags);
  }

  /** @returns whether it is seen to; else it is to be made by itself */
  take(entry: Entry): boolean {
    if (this.#dirFd === undefined) return false;
    const object = this.#options.visible.object(entry.oid);
    if (object === undefined || !this.#isPlain(entry, object)) return false;
    const content = this.#options.atHand?.find(object);
    const file: NewFile = {
      name: entry.name,
      object,
      content: content?.bytes ?? NOTHING,
      holding:
        content === undefined ? holdingOfNew(object) : { state: "content", sha256: content.sha256 },
    };
    // Those of one call have marks of one length.
    const isOther = this.#waiting[0] && this.#waiting[0].file.holding.state !== file.holding.state;
    if (isOther === true || this.#waiting.length === MADE_AT_ONCE) this.#make();
    this.#waiting.push({ entry, file });
    return true;
  }

  [Symbol.dispose](): void {
    if (this.#dirFd === undefined) return;
    try {
      this.#make();
    } finally {
      closeSync(this.#dirFd);
    }
  }

  /** A file of this one name, of which nothing is on the disk yet. */
  #isPlain({ name, oid }: Entry, { kind, xattrs }: TreeObject): boolean {
    const { nodes, visible, directory } = this.#options;
    return (
      kind === "file" &&
      xattrs.size === 0 &&
      directory.children.get(name) === undefined &&
      nodes.ofObject(oid) === undefined &&
      visible.links(oid).length === 1
    );
  }

  #make(): void {
    const { form, nodes, directory, atHand, makeAlone } = this.#options;
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    const made = form.makeFiles!(
      this.#dirFd!,
      waiting.map(({ file }) => file),
    );
    for (const [index, { entry, file }] of waiting.entries()) {
      if (made[index] !== true) {
        makeAlone(entry);
        continue;
      }
      nodes.link(nodes.add(entry.oid, "file", file.holding), directory, entry.name);
      if (file.content.length > 0) atHand?.noteTaken(file.content.length);
    }
  }
}

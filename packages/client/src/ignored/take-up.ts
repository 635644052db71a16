/**
 * Makes records of what was ignored here and is not any more: patterns have changed, or a program gives a
 * file a name that no pattern means.
 *
 * An inode goes into the cache tree as it is, with the mark of an object that nobody knows, and then it is
 * logged: a crash in between leaves a name of which no record tells, and recovery logs it (design C6). A
 * directory is logged, and what was ignored in it is then what is ignored in the new one, and is taken up
 * entry by entry: a crash leaves the rest ignored, where the next start finds it.
 */
import { constants, copyFileSync, openSync, renameSync, rmSync } from "node:fs";

import {
  type Actor,
  bytesToText,
  creationOf,
  type IgnoreRules,
  type Name,
  NO_RECNO,
  type ObjectKind,
  type Oid,
  kindOfMode,
} from "@izo/core";
import { AT_FDCWD, renameat2, type Stat } from "@izo/sys";

import { type Holding, WHOLE } from "../cache/inode/object-mark.ts";
import { xattrsOf } from "../cache/inode/xattr-records.ts";
import type { CacheNode } from "../cache/tree/cache-node.ts";
import { osPath } from "../cache/tree/cache-paths.ts";
import { watchWriters } from "../filter/close-descriptor.ts";
import { type FilterContext, recordTogether } from "../filter/filter-context.ts";
import { logContent } from "../filter/log-content.ts";
import type { IgnoredTree } from "./ignored-tree.ts";

/** Of what was made here from nothing, and is in no record. */
function unlogged(kind: ObjectKind): Holding {
  return kind === "file" ? { state: "local", base: NO_RECNO } : WHOLE;
}

/** One ignored entry of a directory that is not ignored. */
interface Found {
  readonly parent: CacheNode;
  readonly directory: CacheNode;
  readonly name: Name;
  readonly path: string;
  readonly stat: Stat;
}

export class TakeUp {
  readonly #context: FilterContext;
  readonly #ignored: IgnoredTree;

  constructor(context: FilterContext, ignored: IgnoredTree) {
    this.#context = context;
    this.#ignored = ignored;
  }

  /**
   * Takes up what `former` ignored and `rules` do not.
   *
   * @returns gives a path after each entry, so that the caller can pause
   */
  *changed(former: IgnoreRules, rules: IgnoreRules): Generator<string> {
    for (const parent of this.#ignored.parents()) {
      for (const name of this.#ignored.namesIn(parent)) {
        const found = this.#find(parent, name);
        if (found === undefined || !former.ignores(...this.#shown(found))) continue;
        yield* this.#take(found, rules);
      }
    }
  }

  /**
   * Takes up one entry; its node keeps its number, and all that is open on it.
   *
   * @returns false for a directory, and for what has other names
   */
  one(parent: Oid, name: Name, actor: Actor): boolean {
    const found = this.#find(parent, name);
    if (found === undefined || found.stat.nlink > 1) return false;
    if (kindOfMode(found.stat.mode) === "directory") return false;
    this.#takeInode(found, actor);
    return true;
  }

  *#take(found: Found, rules: IgnoreRules): Generator<string> {
    const [path, isDirectory] = this.#shown(found);
    if (rules.ignores(path, isDirectory)) return;
    const { uid, gid } = found.stat;
    const actor: Actor = { uid, gid, groups: [], command: "izo mount" };
    if (!isDirectory) {
      this.#takeInode(found, actor);
      yield path;
      return;
    }
    const oid = this.#takeDirectory(found, actor);
    yield path;
    for (const name of this.#ignored.namesIn(oid)) {
      const entry = this.#find(oid, name);
      if (entry !== undefined) yield* this.#take(entry, rules);
    }
  }

  #takeInode(found: Found, actor: Actor): void {
    const { tree } = this.#context;
    const { parent, directory, name, stat } = found;
    const kind = kindOfMode(stat.mode);
    const holding = unlogged(kind);
    const path = kind === "file" && stat.nlink > 1 ? this.#copy(found) : found.path;
    const oid = this.#context.newOid();
    const shown = tree.nodes.pathIn(parent, name);
    tree.form.writeMark(path, { oid, holding });
    renameat2(AT_FDCWD, osPath(path), AT_FDCWD, osPath(shown), { noReplace: true });
    try {
      this.#log({ ...found, path: shown }, oid, actor);
    } catch (error) {
      renameSync(osPath(shown), osPath(path));
      throw error;
    }
    const former = directory.children.get(name);
    const isSame = path === found.path && former !== undefined;
    if (isSame) this.#ignored.nodes.giveUp(former);
    const node = tree.nodes.add(oid, kind, holding, isSame ? former.id : undefined);
    tree.nodes.link(node, parent, name);
    if (isSame) node.takeOver(former);
    if (former?.isWatched === true) this.#watch(node, shown);
    // The kernel may write past this process, and was not told that it is a matter of records now.
    for (const [fd, { isWritable }] of node.descriptors) if (isWritable) node.unlogged.watch(fd);
    if (path !== found.path) this.#leave(found);
    else this.#ignored.tidy(directory);
    if (kind !== "file") return;
    node.writer = actor;
    logContent(this.#context, node);
  }

  /** Somebody may be writing through a mapping of what is a matter of records now. */
  #watch(node: CacheNode, path: string): void {
    const fd = openSync(osPath(path), constants.O_RDONLY);
    node.unlogged.watch(fd);
    watchWriters(this.#context, node, fd);
  }

  /** Of several names of one inode each becomes a file of its own: others may stay ignored. */
  #copy({ path }: Found): string {
    const spare = this.#context.tree.limbo.sparePath();
    copyFileSync(osPath(path), osPath(spare), constants.COPYFILE_FICLONE);
    return spare;
  }

  #takeDirectory(found: Found, actor: Actor): Oid {
    const oid = this.#context.newOid();
    this.#log(found, oid, actor);
    this.#context.tree.place(found.parent, { name: found.name, oid });
    this.#ignored.rekey(found.directory, found.name, oid);
    return oid;
  }

  #log({ parent, name, path, stat }: Found, oid: Oid, actor: Actor): void {
    const { tree, log } = this.#context;
    const kind = kindOfMode(stat.mode);
    const shown = tree.nodes.shownPathIn(parent, name);
    const creation = creationOf({
      oid,
      parent: parent.oid,
      name,
      path: shown,
      conflict: null,
      mode: kind === "special" ? stat.mode : stat.mode & 0o7777,
      uid: stat.uid,
      gid: stat.gid,
      mtimeNs: stat.mtimeNs,
      kind,
      target: kind === "symlink" ? bytesToText(tree.form.readlink(path)) : "",
      rdev: stat.rdev,
    });
    const attributes = kind === "symlink" ? [] : xattrsOf(tree.form, path, { oid, path: shown });
    recordTogether(log, [creation, ...attributes], actor);
  }

  /** What was taken up as a copy is not ignored beside it. */
  #leave({ directory, name, path }: Found): void {
    rmSync(osPath(path));
    this.#ignored.nodes.unlink(directory, name);
    this.#ignored.tidy(directory);
  }

  #find(parentOid: Oid, name: Name): Found | undefined {
    const { tree } = this.#context;
    const directory = this.#ignored.within(parentOid);
    const parent = tree.objectOf(tree.nodes.root) && tree.reach(parentOid);
    if (directory === undefined || parent === undefined) return undefined;
    tree.list(parent);
    const path = this.#ignored.nodes.pathIn(directory, name);
    const stat = tree.form.stat(path);
    if (stat === undefined || tree.visible.entry(parentOid, name) !== undefined) return undefined;
    return { parent, directory, name, path, stat };
  }

  #shown({ parent, name, stat }: Found): [path: string, isDirectory: boolean] {
    const path = this.#context.tree.nodes.shownPathIn(parent, name);
    return [path, kindOfMode(stat.mode) === "directory"];
  }
}

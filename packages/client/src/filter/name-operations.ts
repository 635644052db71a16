/** Operations on names of objects that exist: lookup, forget, readdir, link, unlink, rmdir, rename. */
import { linkSync, renameSync, rmdirSync, unlinkSync } from "node:fs";

import {
  type Base,
  type Entry,
  linkCount,
  type Name,
  type Oid,
  type RenameOperation,
  ROOT_OID,
  textToBytes,
  type TreeObject,
} from "@izo/core";

import type { CacheNode } from "../cache/tree/cache-node.ts";
import { osPath } from "../cache/tree/cache-paths.ts";
import { ErrnoError, type ErrnoName } from "../fuse/errno.ts";
import type { FileSystem } from "../fuse/file-system.ts";
import type { Actors } from "./actor.ts";
import { dropName } from "./drop-name.ts";
import { exchangeNames } from "./exchange-names.ts";
import { type FilterContext, perform } from "./filter-context.ts";
import { numberOfNode, numberOfObject } from "./inode-number.ts";
import { listInodes } from "./list-inodes.ts";
import { logUnlogged } from "./log-content.ts";
import { checkName } from "./make-entries.ts";
import { nameNameless } from "./nameless-files.ts";
import { type EndingContent, findOpenCloses } from "./open-closes.ts";
import { checkRenameFlags, RENAME_EXCHANGE, RENAME_NOREPLACE } from "./rename-flags.ts";

export function nameOperations(
  context: FilterContext,
  actors: Actors,
): Pick<
  FileSystem,
  "lookup" | "forget" | "readdir" | "pathOf" | "parentIno" | "link" | "unlink" | "rmdir" | "rename"
> {
  const { tree, log, removed } = context;
  const { nodes } = tree;

  /** What a name leads to, on disk and in the visible tree. */
  function named(
    directory: CacheNode,
    name: Name,
  ): { node: CacheNode; entry: Entry; object: TreeObject } {
    const node = tree.child(directory, name);
    const entry = tree.visible.entry(directory.oid, name);
    const object = entry === undefined ? undefined : tree.visible.object(entry.oid);
    if (node === undefined || entry === undefined || object === undefined) {
      throw new ErrnoError("ENOENT", `Cannot find ${JSON.stringify(name)}: no such entry`);
    }
    return { node, entry, object };
  }

  function isLastName(object: TreeObject): boolean {
    return linkCount(tree.visible, object.oid, 2) === 1;
  }

  /** The inode numbers of entries that nobody has met yet: they are looked up at once. */
  function inodeNumbersIn(directory: CacheNode): (name: Name) => bigint {
    let entries: ReadonlyMap<Name, Oid> | undefined;
    return (name) => {
      entries ??= new Map(
        Array.from(tree.visible.children(directory.oid), (entry) => [entry.name, entry.oid]),
      );
      return numberOfObject(entries.get(name) ?? ROOT_OID);
    };
  }

  /**
   * What a removal ends. A content that stays under another name is logged as it is; one that goes is
   * not worth sending any more (design D9).
   */
  function endOf(node: CacheNode, object: TreeObject): EndingContent {
    if (object.kind !== "file") return { base: object.contentVersion, closes: [] };
    if (isLastName(object)) return findOpenCloses(log, object);
    logUnlogged(context, node);
    const { contentVersion } = tree.visible.object(object.oid) ?? object;
    return { base: contentVersion, closes: [] };
  }

  /** After the removal: a crash before leaves CLOSEs that recovery takes back. */
  function takeBack({ closes }: EndingContent): void {
    for (const recno of closes) log.cancel(recno);
  }

  /**
   * A removal whose record a power cut can take must not take a content with it that nobody else has.
   * Asked before the removal is logged, which changes the answer.
   */
  function takesOnlyContent(node: CacheNode, object: TreeObject): boolean {
    return object.kind === "file" && isLastName(object) && tree.limbo.isOnlyHere(node);
  }

  /** Design D2: the usual way of editors to save. */
  function keepsIdentity(saved: TreeObject, victim: TreeObject): boolean {
    return (
      saved.kind === "file" &&
      victim.kind === "file" &&
      saved.creator === log.peer &&
      isLastName(saved) &&
      isLastName(victim)
    );
  }

  /** @throws ErrnoError as rename(2) */
  function checkReplaceable(moved: CacheNode, target: CacheNode | undefined, flags: number): void {
    if (target === undefined) return;
    if ((flags & RENAME_NOREPLACE) !== 0) throw nameTaken("EEXIST");
    if (target.kind !== "directory") {
      if (moved.kind === "directory") throw nameTaken("ENOTDIR");
      return;
    }
    if (moved.kind !== "directory") throw nameTaken("EISDIR");
    if (tree.visible.hasChildren(target.oid)) throw nameTaken("ENOTEMPTY");
  }

  return {
    lookup(parent, name) {
      checkName(name);
      const node = tree.child(nodes.get(parent), name);
      if (node === undefined) return undefined;
      node.references += 1;
      return node.id;
    },

    forget(id) {
      const node = nodes.get(id);
      if (node === nodes.root) return;
      node.references -= 1;
      nodes.collect(node);
    },

    readdir(id, keepsAtime = false) {
      const directory = nodes.get(id);
      tree.list(directory);
      const inoOf = inodeNumbersIn(directory);
      return listInodes(tree, directory, keepsAtime, ({ name }, met) =>
        met === undefined ? inoOf(name) : numberOfNode(met),
      );
    },

    pathOf(id) {
      const directory = nodes.get(id);
      const isNamed = directory === nodes.root || directory.links.length > 0;
      return isNamed ? textToBytes(nodes.shownPath(directory).slice(1)) : undefined;
    },

    parentIno(id) {
      const directory = nodes.get(id);
      const parent = directory.links[0]?.parent ?? directory;
      return numberOfNode(parent);
    },

    link(id, newParent, newName, caller) {
      const node = nodes.get(id);
      const directory = nodes.get(newParent);
      checkName(newName);
      if (node.kind === "directory") {
        throw new ErrnoError("EPERM", "Cannot link: it is a directory");
      }
      if (tree.child(directory, newName) !== undefined) {
        throw new ErrnoError("EEXIST", `Cannot link ${JSON.stringify(newName)}: the name is taken`);
      }
      if (node.isNameless) {
        nameNameless(context, node, directory, newName, actors.of(caller));
        return;
      }
      logUnlogged(context, node);
      const path = nodes.shownPathIn(directory, newName);
      const operation = {
        opcode: "LINK",
        oid: node.oid,
        parent: directory.oid,
        name: newName,
        path,
        conflict: null,
      } as const;
      perform(context, operation, actors.of(caller), () => {
        linkSync(osPath(nodes.pathOf(node)), osPath(nodes.pathIn(directory, newName)));
      });
      nodes.link(node, directory, newName);
    },

    unlink(parent, name, caller) {
      const directory = nodes.get(parent);
      const { node, entry, object } = named(directory, name);
      if (node.kind === "directory") {
        throw new ErrnoError("EISDIR", `Cannot unlink ${JSON.stringify(name)}: it is a directory`);
      }
      const isKept = takesOnlyContent(node, object);
      const ending = endOf(node, object);
      const operation = {
        opcode: "UNLINK",
        oid: object.oid,
        parent: directory.oid,
        name,
        path: nodes.shownPathIn(directory, name),
        nameBase: entry.version,
        contentBase: ending.base,
        isLastName: isLastName(object),
      } as const;
      dropName(tree, directory, name, () => {
        perform(context, operation, actors.of(caller), () => {
          const path = nodes.pathIn(directory, name);
          if (isKept) removed.unlink(path, object.sizeBytes);
          else unlinkSync(osPath(path));
          node.awaitsRemoval = isKept;
        });
        takeBack(ending);
      });
    },

    rmdir(parent, name, caller) {
      const directory = nodes.get(parent);
      const { node, entry, object } = named(directory, name);
      if (node.kind !== "directory") {
        throw new ErrnoError("ENOTDIR", `Cannot rmdir ${JSON.stringify(name)}: it is no directory`);
      }
      if (tree.visible.hasChildren(object.oid)) {
        throw new ErrnoError("ENOTEMPTY", `Cannot rmdir ${JSON.stringify(name)}: it is not empty`);
      }
      const operation = {
        opcode: "RMDIR",
        oid: object.oid,
        parent: directory.oid,
        name,
        path: nodes.shownPathIn(directory, name),
        nameBase: entry.version,
      } as const;
      dropName(tree, directory, name, () => {
        perform(context, operation, actors.of(caller), () => {
          rmdirSync(osPath(nodes.pathIn(directory, name)));
        });
      });
    },

    rename(parent, name, newParent, newName, flags, caller) {
      checkRenameFlags(flags);
      checkName(newName);
      const from = nodes.get(parent);
      const to = nodes.get(newParent);
      const moved = named(from, name);
      if ((flags & RENAME_EXCHANGE) !== 0) {
        const placeA = { parent: from, name, ...moved };
        exchangeNames(
          context,
          placeA,
          { parent: to, name: newName, ...named(to, newName) },
          actors.of(caller),
        );
        return;
      }
      const target = tree.child(to, newName);
      checkReplaceable(moved.node, target, flags);
      // Two names of one file: rename(2) then does nothing.
      if (target === moved.node) return;
      logUnlogged(context, moved.node);
      // A CLOSE that was just logged is what the move builds on.
      const object = tree.objectOf(moved.node) ?? moved.object;
      const victim = target === undefined ? undefined : named(to, newName);
      const keepsOid = victim !== undefined && keepsIdentity(object, victim.object);
      const isKept =
        victim !== undefined && !keepsOid && takesOnlyContent(victim.node, victim.object);
      // A saved-over object lives on, and its open CLOSE is sealed with the content that it has then:
      // taking it back would show others the version before, for a moment, between two saves.
      const ending =
        victim === undefined || keepsOid ? undefined : endOf(victim.node, victim.object);
      const operation: RenameOperation = {
        opcode: "RENAME",
        oid: object.oid,
        contentBase: object.contentVersion,
        fromParent: from.oid,
        fromName: name,
        fromPath: nodes.shownPathIn(from, name),
        fromBase: moved.entry.version,
        toParent: to.oid,
        toName: newName,
        toPath: nodes.shownPathIn(to, newName),
        victim:
          victim === undefined
            ? null
            : {
                oid: victim.object.oid,
                contentBase: ending?.base ?? victim.object.contentVersion,
                isLastName: isLastName(victim.object),
              },
        keepsOid,
        conflict: null,
      };
      let version: Base | undefined;
      const move = (): void => {
        version = perform(context, operation, actors.of(caller), (recno) => {
          const rename = (): void =>
            renameSync(osPath(nodes.pathIn(from, name)), osPath(nodes.pathIn(to, newName)));
          if (!isKept) rename();
          else removed.replace(nodes.pathIn(to, newName), victim.object.sizeBytes, rename);
          if (victim !== undefined) victim.node.awaitsRemoval = isKept;
          return { peer: log.peer, recno };
        });
        if (ending !== undefined) takeBack(ending);
      };
      if (victim === undefined) move();
      else dropName(tree, to, newName, move);
      nodes.move(moved.node, { parent: from, name }, to, newName);
      if (keepsOid) tree.marks.setOid(moved.node, victim.object.oid, version);
    },
  };
}

function nameTaken(errno: ErrnoName): ErrnoError {
  return new ErrnoError(errno, "Cannot rename: the new name is taken");
}

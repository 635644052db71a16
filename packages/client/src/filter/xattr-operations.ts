/** Extended attributes, each of which is a version of its own (design D3). */
import {
  type ClientOperation,
  isReplicatedXattr,
  NO_RECNO,
  type SetattrOperation,
  type TreeObject,
} from "@izo/core";

import {
  ACCESS_ACL,
  DEFAULT_ACL,
  isList,
  isModeOnly,
  modeOf,
} from "../cache/inode/access-control-list.ts";
import type { CacheNode } from "../cache/tree/cache-node.ts";
import { ErrnoError } from "../fuse/errno.ts";
import type { Caller, FileSystem } from "../fuse/file-system.ts";
import type { Actors } from "./actor.ts";
import {
  CAPABILITY,
  checkReadName,
  checkXattrName,
  checkXattrValue,
  nameless,
  noSuchAttribute,
  xattrPlace,
} from "./check-xattr.ts";
import { type FilterContext, perform } from "./filter-context.ts";

export function xattrOperations(
  context: FilterContext,
  actors: Actors,
): Pick<FileSystem, "getxattr" | "listxattr" | "setxattr" | "removexattr"> {
  const { tree } = context;
  const { nodes, form } = tree;

  function read(node: CacheNode, name: string): Buffer | undefined {
    if (!isReplicatedXattr(name) || isKnownAbsent(node, name)) return undefined;
    return form.getXattr(xattrPlace(nodes, node), name);
  }

  /** The kernel asks for it before the first write to each file; one comes to a file only by a record. */
  function isKnownAbsent(node: CacheNode, name: string): boolean {
    return name === CAPABILITY && node.isNamed && tree.objectOf(node)?.xattrs.has(name) === false;
  }

  function objectOf(node: CacheNode): TreeObject {
    const object = !node.isNamed ? undefined : tree.objectOf(node);
    if (object === undefined)
      throw new ErrnoError("ENOENT", "Cannot change an attribute: the file was removed");
    return object;
  }

  /** A list that says no more than a mode is none (acl(5)), and takes the place of one that says more. */
  function setModeByAcl(node: CacheNode, object: TreeObject, list: Buffer, caller: Caller): void {
    const path = nodes.shownPath(node);
    const standing = object.xattrs.get(ACCESS_ACL);
    if (standing !== undefined) {
      const base = standing.version;
      const { oid } = object;
      const removal = { opcode: "DELEXTATTR", oid, path, attribute: ACCESS_ACL, base } as const;
      perform(context, removal, actors.of(caller), () => {
        form.removeXattr(nodes.pathOf(node), ACCESS_ACL);
      });
    }
    const change = modeChange(node, object, modeOf(list));
    perform(context, change, actors.of(caller), () => {
      form.setXattr(nodes.pathOf(node), ACCESS_ACL, list);
    });
  }

  /**
   * An access control list is also a mode, and the change of that is a record too. It comes before the
   * list, which then changes no mode where it is replayed.
   */
  function modeChange(node: CacheNode, object: TreeObject, permissions: number): SetattrOperation {
    const { oid, attributesVersion: base, uid, gid } = object;
    const attributes = { base, mode: (object.mode & ~0o777) | permissions, uid, gid };
    return { opcode: "SETATTR", oid, path: nodes.shownPath(node), attributes, times: null };
  }

  return {
    getxattr(id, name) {
      checkReadName(name);
      return read(nodes.get(id), name);
    },

    listxattr(id) {
      return form.listXattrs(xattrPlace(nodes, nodes.get(id))).filter(isReplicatedXattr);
    },

    setxattr(id, name, value, flags, caller) {
      const node = nodes.get(id);
      checkXattrName(node, name);
      checkXattrValue(name, value, flags, () => read(node, name) !== undefined);
      const place = nameless(node);
      if (place !== undefined) {
        form.setXattr(place, name, value);
        return;
      }
      const object = objectOf(node);
      if (name === ACCESS_ACL && isList(value) && isModeOnly(value)) {
        setModeByAcl(node, object, value, caller);
        return;
      }
      const operation: ClientOperation = {
        opcode: "SETEXTATTR",
        oid: object.oid,
        path: nodes.shownPath(node),
        attribute: name,
        value: Uint8Array.from(value),
        base: object.xattrs.get(name)?.version ?? NO_RECNO,
      };
      const set = (): void =>
        perform(context, operation, actors.of(caller), () => {
          form.setXattr(nodes.pathOf(node), name, value);
        });
      const mode = name === ACCESS_ACL && isList(value) ? modeOf(value) : object.mode & 0o777;
      if (mode === (object.mode & 0o777)) set();
      else perform(context, modeChange(node, object, mode), actors.of(caller), set);
    },

    removexattr(id, name, caller) {
      const node = nodes.get(id);
      checkXattrName(node, name);
      if (read(node, name) === undefined) {
        // A list that is not there is one that says no more than the mode.
        if (name === ACCESS_ACL || name === DEFAULT_ACL) return;
        throw noSuchAttribute(name);
      }
      const place = nameless(node);
      if (place !== undefined) {
        form.removeXattr(place, name);
        return;
      }
      const object = objectOf(node);
      const operation: ClientOperation = {
        opcode: "DELEXTATTR",
        oid: object.oid,
        path: nodes.shownPath(node),
        attribute: name,
        base: object.xattrs.get(name)?.version ?? NO_RECNO,
      };
      perform(context, operation, actors.of(caller), () => {
        form.removeXattr(nodes.pathOf(node), name);
      });
    },
  };
}

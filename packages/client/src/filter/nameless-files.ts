/**
 * Files that are made without a name (O_TMPFILE of open(2)), and get one by linkat(2), or never. Programs
 * save by them what must appear complete or not at all.
 *
 * On the disk they are nameless too, so a kill leaves nothing of one. To the log it is as if a file were
 * made when it gets its name: with the attributes and the content that it has by then.
 */
import type { Actor, CreateOperation, Name } from "@izo/core";
import { AT_FDCWD, linkFd } from "@izo/sys";

import { xattrsOf } from "../cache/inode/xattr-records.ts";
import type { CacheNode } from "../cache/tree/cache-node.ts";
import { osPath } from "../cache/tree/cache-paths.ts";
import { ErrnoError } from "../fuse/errno.ts";
import { type FilterContext, perform, record } from "./filter-context.ts";
import { logContent } from "./log-content.ts";

/**
 * Gives a file that was made without a name its first one.
 *
 * @throws ErrnoError ENOENT where nobody has it open any more
 */
export function nameNameless(
  context: FilterContext,
  node: CacheNode,
  directory: CacheNode,
  name: Name,
  actor: Actor,
): void {
  const { tree, log } = context;
  const { form, nodes, marks } = tree;
  const [fd] = node.descriptors.keys();
  if (fd === undefined) throw new ErrnoError("ENOENT", "Cannot link: the file is closed");
  const { mode, uid, gid, mtimeNs, size } = form.statOf(fd);
  const path = nodes.shownPathIn(directory, name);
  const operation: CreateOperation = {
    opcode: "CREATE",
    oid: node.oid,
    parent: directory.oid,
    name,
    path,
    mode: mode & 0o7777,
    uid,
    gid,
    mtimeNs,
    conflict: null,
  };
  perform(context, operation, actor, (recno) => {
    linkFd(fd, AT_FDCWD, osPath(nodes.pathIn(directory, name)));
    nodes.link(node, directory, name);
    node.isNameless = false;
    marks.setHolding(node, { state: "local", base: { peer: log.peer, recno } });
  });
  for (const attribute of xattrsOf(form, fd, { oid: node.oid, path }))
    record(log, attribute, actor);
  if (size > 0) logContent(context, node);
}

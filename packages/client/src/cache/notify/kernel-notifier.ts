import type { Name } from "@izo/core";

import type { EntryName } from "../../fuse/entry-name.ts";
import type { NodeId } from "../../fuse/file-system.ts";
import type { WatchedChange } from "../../fuse/watched-change.ts";

/** What the cache tells the kernel after it has changed something behind its back (design C7). A `FuseMount` is one. */
export interface KernelNotifier {
  invalidateEntry(parent: NodeId, name: Name): void;
  invalidateNode(node: NodeId, names: Iterable<EntryName>): void;
  /** See `FuseMount`. */
  tellWatchers?(change: WatchedChange): void;
  /** See `FuseMount`. */
  descriptorClosed?(node: NodeId, fd: number): void;
}

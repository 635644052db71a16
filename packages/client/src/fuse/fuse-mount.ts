import type { Name } from "@izo/core";

import type { EntryName } from "./entry-name.ts";
import type { NodeId } from "./file-system.ts";
import type { WatchedChange } from "./watched-change.ts";

/** Why a mount ended: by us, or by `umount` or an aborted connection outside. */
export type MountEnd = "unmounted" | "detached";

/**
 * A mounted file system. Disposing of it unmounts; open files of other processes then fail with
 * ENOTCONN, as the mount is detached lazily.
 */
export interface FuseMount extends AsyncDisposable {
  readonly mountPoint: string;

  /** Settles when the mount is gone, whoever ended it. It never rejects. */
  readonly closed: Promise<MountEnd>;

  /**
   * The kernel shall ask again what this name means.
   *
   * Call it after the change. It returns at once and never waits for the kernel, so it may be called
   * from anywhere, also from inside a `FileSystem` method.
   */
  invalidateEntry(parent: NodeId, name: Name): void;

  /**
   * The kernel shall ask again for the attributes and content of this node.
   *
   * `names` are the entries that lead to it: a driver that addresses the kernel by name needs them, one
   * that addresses it by node does not look at them. Same manners as `invalidateEntry`.
   */
  invalidateNode(node: NodeId, names: Iterable<EntryName>): void;

  /**
   * Others have changed that: programs that watch shall be told, as of what is done through the mount. Returns
   * at once; call it after the invalidations of the same change. A mount without this tells nobody.
   */
  tellWatchers?(change: WatchedChange): void;

  /**
   * A descriptor that `FileSystem.release` has left open is about to be closed, and what the kernel has of
   * it must go. A mount without this gets none that is left open.
   */
  descriptorClosed?(node: NodeId, fd: number): void;

  /**
   * Takes in what the kernel has told and no program waits for: that files were closed. A mount without this
   * is told before close(2) returns. Never call it in a `FileSystem` method.
   */
  catchUp?(): void;

  /**
   * Resolves when the kernel has taken in everything that was invalidated before this call. Never wait
   * for it in a `FileSystem` method: the kernel may wait for that method.
   */
  invalidated(): Promise<void>;
}

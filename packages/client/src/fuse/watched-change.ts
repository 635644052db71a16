import type { EntryName } from "./entry-name.ts";
import type { NodeId } from "./file-system.ts";

/**
 * What others have changed, for the programs of this machine that watch the mount with inotify(7): the kernel
 * tells them only of what is done through the mount.
 *
 * - `made`: the name leads to something, and led to nothing.
 * - `removed`: it leads to nothing, or to something else, and led to `node`, which is given where nothing is
 *   left of it here.
 * - `moved`: it leads to what another name led to; `before` is what it led to itself.
 * - `replaced`: it leads to another inode than before, as after a save by a rename.
 * - `written`, `attributes`: what it leads to has another content, or only other attributes.
 */
export type WatchedChange = EntryName &
  (
    | { readonly kind: "made" }
    | { readonly kind: "removed"; readonly isDirectory: boolean; readonly node: NodeId | undefined }
    | { readonly kind: "moved"; readonly from: EntryName; readonly before: NodeId | undefined }
    | { readonly kind: "replaced"; readonly before: NodeId }
    | { readonly kind: "written" | "attributes" }
  );

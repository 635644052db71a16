import type { Name } from "@izo/core";

import type { NodeId } from "./file-system.ts";

/** One entry of a directory, as the file system knows it. */
export interface EntryName {
  readonly parent: NodeId;
  readonly name: Name;
}

import type { Oid, TimeNs } from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type {
  ConflictNote,
  CreateOperation,
  MkdirOperation,
  MknodOperation,
  SymlinkOperation,
} from "../kml/operation.ts";
import type { ObjectKind } from "./tree-object.ts";

/** An operation that makes an object. */
export type Creation = CreateOperation | MkdirOperation | SymlinkOperation | MknodOperation;

/** What each operation that makes an object makes. */
export const KIND_OF = {
  CREATE: "file",
  MKDIR: "directory",
  SYMLINK: "symlink",
  MKNOD: "special",
} as const satisfies Record<Creation["opcode"], ObjectKind>;

/** An object to be made: of `target` and `rdev`, what its kind has none of is left out. */
export interface NewObject {
  readonly kind: ObjectKind;
  readonly oid: Oid;
  readonly parent: Oid;
  readonly name: Name;
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: TimeNs;
  readonly target: string;
  readonly rdev: number;
  readonly conflict: ConflictNote | null;
}

/** The operation that makes an object of this kind. */
export function creationOf(object: NewObject): Creation {
  const { kind, target, rdev, oid, parent, name, path, mode, uid, gid, mtimeNs, conflict } = object;
  const made = { oid, parent, name, path, mode, uid, gid, mtimeNs, conflict };
  switch (kind) {
    case "file":
      return { opcode: "CREATE", ...made };
    case "directory":
      return { opcode: "MKDIR", ...made };
    case "symlink":
      return { opcode: "SYMLINK", ...made, target };
    case "special":
      return { opcode: "MKNOD", ...made, rdev };
  }
}

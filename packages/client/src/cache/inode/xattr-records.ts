import { type ClientOperation, isReplicatedXattr, NO_RECNO, type Oid } from "@izo/core";

import type { InodeForm, InodePlace } from "./inode-form.ts";

/** What records say of the extended attributes that an inode has and its new object has not. */
export function xattrsOf(
  form: InodeForm,
  place: InodePlace,
  object: { readonly oid: Oid; readonly path: string },
): Extract<ClientOperation, { opcode: "SETEXTATTR" }>[] {
  return form.listXattrs(place).flatMap((attribute) => {
    if (!isReplicatedXattr(attribute)) return [];
    const value = form.getXattr(place, attribute);
    if (value === undefined) return [];
    const { oid, path } = object;
    const set = { attribute, value: Uint8Array.from(value), base: NO_RECNO };
    return { opcode: "SETEXTATTR" as const, oid, path, ...set };
  });
}

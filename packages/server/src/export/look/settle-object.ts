import { NO_RECNO, objectPath, type TreeObject } from "@izo/core";

import type { Fileset } from "../fileset.ts";
import type { FoundEntry } from "../tree/found-entry.ts";

/**
 * Logs where an object differs from the inode that was found for it, and notes the inode. An equal
 * content logs nothing, whatever its stat (design D7). Times of directories are local (design D4).
 */
export function settleObject(fileset: Fileset, object: TreeObject, found: FoundEntry): void {
  settleContent(fileset, object, found);
  settleAttributes(fileset, object, found);
  settleXattrs(fileset, object, found);
  fileset.ledger.notes.put(object.oid, found.note);
}

function settleContent(fileset: Fileset, object: TreeObject, found: FoundEntry): void {
  const { oid, contentVersion: contentBase } = object;
  const { mtimeNs, sizeBytes, sha256 } = found;
  const path = objectPath(fileset.ledger.state, oid);
  if (object.kind === "file" && sha256 !== null && sha256 !== object.sha256) {
    const opcode = "CLOSE";
    const content = { sizeBytes, mtimeNs, sha256, conflict: null };
    fileset.ledger.author({ opcode, oid, path, contentBase, ...content });
  } else if (object.kind !== "directory" && object.mtimeNs !== mtimeNs) {
    const times = { contentBase, mtimeNs };
    fileset.ledger.author({ opcode: "SETATTR", oid, path, attributes: null, times });
  }
}

function settleAttributes(fileset: Fileset, object: TreeObject, found: FoundEntry): void {
  // What the disk could not take (an owner, without root) is no change of anybody's: compared is
  // what was on disk before.
  const before = fileset.ledger.notes.get(object.oid);
  const isSame =
    before === undefined
      ? object.mode === found.mode && object.uid === found.uid && object.gid === found.gid
      : before.mode === found.note.mode &&
        before.uid === found.note.uid &&
        before.gid === found.note.gid;
  if (isSame) return;
  const { mode, uid, gid } = found;
  fileset.ledger.author({
    opcode: "SETATTR",
    oid: object.oid,
    path: objectPath(fileset.ledger.state, object.oid),
    attributes: { base: object.attributesVersion, mode, uid, gid },
    times: null,
  });
}

function settleXattrs(fileset: Fileset, object: TreeObject, found: FoundEntry): void {
  if (object.xattrs.size === 0 && found.xattrs.size === 0) return;
  const { oid } = object;
  const path = objectPath(fileset.ledger.state, oid);
  for (const [attribute, value] of found.xattrs) {
    const known = object.xattrs.get(attribute);
    if (known !== undefined && Buffer.compare(known.value, value) === 0) continue;
    const base = known?.version ?? NO_RECNO;
    fileset.ledger.author({ opcode: "SETEXTATTR", oid, path, attribute, value, base });
  }
  for (const [attribute, { version: base }] of object.xattrs) {
    if (found.xattrs.has(attribute)) continue;
    fileset.ledger.author({ opcode: "DELEXTATTR", oid, path, attribute, base });
  }
}

import { NO_RECNO, type Oid, type PeerId, type Recno } from "../kml/identity.ts";
import type { ClientOperation } from "../kml/operation.ts";
import { creationOf } from "../replay/creation.ts";
import { OverlayState } from "../replay/overlay-state.ts";
import { objectPath, pathOf } from "../replay/path-of.ts";
import { applyOperation } from "../replay/replay.ts";
import type { StateReader } from "../replay/state.ts";
import type { Entry, TreeObject } from "../replay/tree-object.ts";
import type { Place } from "./wanted-names.ts";

/**
 * Writes the operations of an undo and does each at once in a state of its own, so that the bases of the
 * next are those that its author would see: records of the server, or its own earlier ones.
 */
export class UndoWriter {
  readonly operations: ClientOperation[] = [];
  /** The present tree under what was written so far. */
  readonly state: OverlayState;
  readonly #peer: PeerId;

  constructor(now: StateReader, peer: PeerId) {
    this.state = new OverlayState(now);
    this.#peer = peer;
  }

  create(object: TreeObject, oid: Oid, { parent, name }: Place): void {
    const path = pathOf(this.state, parent, name);
    this.#write(creationOf({ ...object, oid, parent, name, path, conflict: null }));
    if (object.kind === "file") this.setContent(oid, object);
    this.setExtendedAttributes(oid, object);
  }

  link(oid: Oid, { parent, name }: Place): void {
    const path = pathOf(this.state, parent, name);
    this.#write({ opcode: "LINK", oid, parent, name, path, conflict: null });
  }

  move({ oid, parent, name, version }: Entry, to: Place): void {
    this.#write({
      opcode: "RENAME",
      oid,
      contentBase: this.state.object(oid)!.contentVersion,
      fromParent: parent,
      fromName: name,
      fromPath: pathOf(this.state, parent, name),
      fromBase: version,
      toParent: to.parent,
      toName: to.name,
      toPath: pathOf(this.state, to.parent, to.name),
      victim: null,
      keepsOid: false,
      conflict: null,
    });
  }

  remove({ oid, parent, name, version }: Entry): void {
    const path = pathOf(this.state, parent, name);
    const entry = { oid, parent, name, path, nameBase: version };
    const object = this.state.object(oid)!;
    this.#write(
      object.kind === "directory"
        ? { opcode: "RMDIR", ...entry }
        : {
            opcode: "UNLINK",
            ...entry,
            contentBase: object.contentVersion,
            isLastName: this.state.links(oid).length === 1,
          },
    );
  }

  /** Only the times where the object has the content already. */
  setContent(oid: Oid, was: TreeObject): void {
    const { contentVersion: contentBase, ...now } = this.state.object(oid)!;
    const { sizeBytes, mtimeNs, sha256 } = was;
    if (now.sha256 === sha256) return this.setTimes(oid, was);
    const path = objectPath(this.state, oid);
    const content = { sizeBytes, mtimeNs, sha256 };
    this.#write({ opcode: "CLOSE", oid, path, contentBase, ...content, conflict: null });
  }

  setTimes(oid: Oid, { mtimeNs }: TreeObject): void {
    const { contentVersion: contentBase, ...now } = this.state.object(oid)!;
    if (now.mtimeNs === mtimeNs) return;
    const path = objectPath(this.state, oid);
    const times = { contentBase, mtimeNs };
    this.#write({ opcode: "SETATTR", oid, path, attributes: null, times });
  }

  setAttributes(oid: Oid, { mode, uid, gid }: TreeObject): void {
    const { attributesVersion: base, ...now } = this.state.object(oid)!;
    if (now.mode === mode && now.uid === uid && now.gid === gid) return;
    const path = objectPath(this.state, oid);
    const attributes = { base, mode, uid, gid };
    this.#write({ opcode: "SETATTR", oid, path, attributes, times: null });
  }

  setExtendedAttributes(oid: Oid, { xattrs }: TreeObject): void {
    for (const [attribute, { value }] of xattrs) this.setExtendedAttribute(oid, attribute, value);
  }

  /** @param value undefined to remove it */
  setExtendedAttribute(oid: Oid, attribute: string, value: Uint8Array | undefined): void {
    const now = this.state.object(oid)!.xattrs.get(attribute);
    const path = objectPath(this.state, oid);
    const named = { oid, path, attribute, base: now?.version ?? NO_RECNO };
    if (value !== undefined) this.#write({ opcode: "SETEXTATTR", ...named, value });
    else if (now !== undefined) this.#write({ opcode: "DELEXTATTR", ...named });
  }

  #write(operation: ClientOperation): void {
    this.operations.push(operation);
    const version = { peer: this.#peer, recno: this.operations.length as Recno };
    applyOperation(operation, version, this.#peer, this.state);
  }
}

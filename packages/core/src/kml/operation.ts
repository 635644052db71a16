import type { Oid, PeerId, Recno, Sha256, TimeNs } from "./identity.ts";
import type { Name } from "./name.ts";

/** A record by its author: the peer that made it and its number there, given at first send (P1). */
export interface OriginId {
  readonly peer: PeerId;
  readonly recno: Recno;
}

/**
 * The version that an author saw of what it changes (design D3): a recno of the server's KML, 0 for
 * "as it was before the log", or the author's own record where that was not yet acknowledged.
 */
export type Base = Recno | OriginId;

/** What a conflict copy says of itself, so that a three-way merge needs no file names (design §7). */
export interface ConflictNote {
  /** The object that keeps the name. */
  readonly of: Oid;
  /** The content version that the copy's author saw of it, resolved to a server recno. */
  readonly base: Recno;
  /** Content of {@link of} when the copy was made; null where it is no file. */
  readonly ours: Sha256 | null;
  /** Content of the copy; null where it is no file, or its content was not known yet. */
  readonly theirs: Sha256 | null;
}

interface NewEntry {
  readonly oid: Oid;
  readonly parent: Oid;
  readonly name: Name;
  /** Full path from the fileset's root, `/a/b`; information only, rewritten by the server. */
  readonly path: string;
  readonly conflict: ConflictNote | null;
}

interface NewObject extends NewEntry {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: TimeNs;
}

interface OldEntry {
  readonly oid: Oid;
  readonly parent: Oid;
  readonly name: Name;
  readonly path: string;
  readonly nameBase: Base;
}

export interface NoopOperation {
  readonly opcode: "NOOP";
}

/** A new, empty regular file. `mode` holds the permission bits (07777). */
export interface CreateOperation extends NewObject {
  readonly opcode: "CREATE";
}

export interface MkdirOperation extends NewObject {
  readonly opcode: "MKDIR";
}

export interface SymlinkOperation extends NewObject {
  readonly opcode: "SYMLINK";
  /** Where it points, byte for byte, never resolved. */
  readonly target: string;
}

/** A FIFO, socket or device; `mode` holds the type bits (`S_IFMT`) too. */
export interface MknodOperation extends NewObject {
  readonly opcode: "MKNOD";
  readonly rdev: number;
}

/** One more name of an object that exists. */
export interface LinkOperation extends NewEntry {
  readonly opcode: "LINK";
}

export interface UnlinkOperation extends OldEntry {
  readonly opcode: "UNLINK";
  readonly contentBase: Base;
  /** Whether the author saw no other name of the object: only then may its content go. */
  readonly isLastName: boolean;
}

export interface RmdirOperation extends OldEntry {
  readonly opcode: "RMDIR";
}

/** The content of a file changed. Data itself is never in the log (design D4, D9). */
export interface CloseOperation {
  readonly opcode: "CLOSE";
  readonly oid: Oid;
  readonly path: string;
  readonly contentBase: Base;
  readonly sizeBytes: number;
  readonly mtimeNs: TimeNs;
  /** Null while the CLOSE is open, which happens in a client's own log only (design D9). */
  readonly sha256: Sha256 | null;
  readonly conflict: ConflictNote | null;
}

/** What a RENAME removes from its new name. */
export interface Victim {
  readonly oid: Oid;
  readonly contentBase: Base;
  readonly isLastName: boolean;
}

export interface RenameOperation {
  readonly opcode: "RENAME";
  readonly oid: Oid;
  /** The content that moves, as the author saw it: an atomic save makes it the victim's. */
  readonly contentBase: Base;
  readonly fromParent: Oid;
  readonly fromName: Name;
  readonly fromPath: string;
  readonly fromBase: Base;
  readonly toParent: Oid;
  readonly toName: Name;
  readonly toPath: string;
  /** What stood at the new name, as the author saw it. */
  readonly victim: Victim | null;
  /** Atomic save (design D2): the victim lives on with the content and attributes of {@link oid}, which ends. */
  readonly keepsOid: boolean;
  readonly conflict: ConflictNote | null;
}

/** Mode, owner and group are one version; `mtimeNs` belongs to the content it was given for. */
export interface SetattrOperation {
  readonly opcode: "SETATTR";
  readonly oid: Oid;
  readonly path: string;
  readonly attributes: {
    readonly base: Base;
    readonly mode: number;
    readonly uid: number;
    readonly gid: number;
  } | null;
  readonly times: { readonly contentBase: Base; readonly mtimeNs: TimeNs } | null;
}

export interface SetextattrOperation {
  readonly opcode: "SETEXTATTR";
  readonly oid: Oid;
  readonly path: string;
  /** Full name with its namespace: `user.colour`. */
  readonly attribute: string;
  readonly value: Uint8Array;
  readonly base: Base;
}

export interface DelextattrOperation {
  readonly opcode: "DELEXTATTR";
  readonly oid: Oid;
  readonly path: string;
  readonly attribute: string;
  readonly base: Base;
}

/** Why a client's record was not applied as it stands. Stable: part of the protocol. */
export type OutcomeReason =
  | "same-content"
  | "same-attributes"
  | "same-name"
  | "already-removed"
  | "newer-content"
  | "edited-since"
  | "attributes-changed"
  | "moved-elsewhere"
  | "parent-removed"
  | "object-removed"
  | "unknown-object"
  | "wrong-kind"
  | "oid-taken"
  | "not-empty"
  | "cycle"
  | "base-refused"
  | "last-name"
  | "not-storable";

/**
 * What became of a client's record that is not itself in the log (design P1). The versions are those
 * that a later record of the same author means when it names the judged record as its base.
 */
export interface OutcomeOperation {
  readonly opcode: "OUTCOME";
  readonly verdict: "merged" | "refused";
  readonly reason: OutcomeReason;
  /** The object on which the author's later records continue. */
  readonly oid: Oid;
  readonly path: string;
  readonly nameVersion: Recno;
  readonly contentVersion: Recno;
  readonly attributesVersion: Recno;
}

/** From here on the id `alias` means the object `oid` (design D1). */
export interface AliasOperation {
  readonly opcode: "ALIAS";
  readonly alias: Oid;
  readonly oid: Oid;
}

/** The log before this recno was cut off. */
export interface TruncatedOperation {
  readonly opcode: "TRUNCATED";
  readonly oldestRecno: Recno;
}

/** Client's own log: the content of an open CLOSE is now known and durable (design D9). */
export interface SealedOperation {
  readonly opcode: "SEALED";
  readonly recno: Recno;
  readonly sizeBytes: number;
  readonly mtimeNs: TimeNs;
  readonly sha256: Sha256;
}

/** Client's own log: the operation of this record failed after it was logged; it never happened. */
export interface CancelledOperation {
  readonly opcode: "CANCELLED";
  readonly recno: Recno;
}

/**
 * Client's own log: frozen, about to be sent for the first time (design C8). The recno of the SENT
 * record is the origin recno, so origin recnos increase strictly.
 */
export interface SentOperation {
  readonly opcode: "SENT";
  /** The own records that it stands for, after optimization. */
  readonly covers: readonly Recno[];
  /** The operation as it is sent; null where optimization left nothing to send. */
  readonly operation: ReplicatedOperation | null;
}

/** What can stand in the server's KML. */
export type ReplicatedOperation =
  | NoopOperation
  | CreateOperation
  | MkdirOperation
  | SymlinkOperation
  | MknodOperation
  | LinkOperation
  | UnlinkOperation
  | RmdirOperation
  | CloseOperation
  | RenameOperation
  | SetattrOperation
  | SetextattrOperation
  | DelextattrOperation
  | OutcomeOperation
  | AliasOperation
  | TruncatedOperation;

/** What can stand only in a client's own log. */
export type LocalOperation = SealedOperation | CancelledOperation | SentOperation;

export type Operation = ReplicatedOperation | LocalOperation;

/** What a client may send: a change that somebody made, never a server's verdict. */
export type ClientOperation = Exclude<
  ReplicatedOperation,
  OutcomeOperation | AliasOperation | TruncatedOperation
>;

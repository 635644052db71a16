/**
 * The judge: one pure function from (record, state) to what becomes of it (design §7). The server, dry
 * runs and the simulation call it; nothing else decides a conflict. It changes nothing itself.
 */

import { ROOT_OID, type Oid, type Recno, type Sha256, type TimeNs } from "../kml/identity.ts";
import type { ClientOperation } from "../kml/operation.ts";
import type { Actor, Origin } from "../kml/record.ts";
import type { StateReader } from "../replay/state.ts";
import { BUILT_IN_POLICIES, type PolicyOf } from "./conflict-policy.ts";
import { applied, refused, type Decision } from "./decision.ts";
import { judgeExtendedAttribute, judgeSetattr } from "./judge-attributes.ts";
import { judgeClose } from "./judge-close.ts";
import { judgeCreation, judgeLink } from "./judge-creation.ts";
import { judgeRmdir, judgeUnlink } from "./judge-removal.ts";
import { judgeRename } from "./judge-rename.ts";
import type { Author } from "./placement.ts";
import { resolveOid, resolveOperation } from "./resolve.ts";

/** A record as a client sends it: frozen, with its number, and sealed. */
export interface SubmittedRecord {
  readonly origin: Origin;
  readonly authorTimeNs: TimeNs;
  readonly actor: Actor;
  readonly operation: ClientOperation;
}

/** What the judge may know beside the state. */
export interface ReintegrateContext {
  /** Name of the author's host, for the names of conflict copies. */
  readonly host: string;
  /** Hash of the content that the same batch brings for an object that it creates. */
  contentToCome(oid: Oid): Sha256 | undefined;
  /** The removal that the author takes back by making this object anew; undefined where it does not. */
  revives?(oid: Oid): Recno | undefined;
  /** What somebody has set for paths in conflict; without it what is built in. */
  readonly policyOf?: PolicyOf;
}

/**
 * Says what becomes of a client's record in this state. The state must hold everything logged so far;
 * a record whose trace is already in the log has to be answered from that trace, not judged again.
 */
export function reintegrate(
  record: SubmittedRecord,
  state: StateReader,
  context: ReintegrateContext,
): Decision {
  const author: Author = {
    timeNs: record.authorTimeNs,
    host: context.host,
    origin: record.origin,
    policyOf: context.policyOf ?? BUILT_IN_POLICIES,
  };
  const resolution = resolveOperation(record.operation, state);
  if (resolution.kind === "base-refused") {
    const oid = "oid" in record.operation ? resolveOid(record.operation.oid, state) : ROOT_OID;
    return refused("base-refused", state, oid);
  }
  const { operation } = resolution;
  switch (operation.opcode) {
    case "NOOP":
      return applied(operation);
    case "CREATE":
    case "MKDIR":
    case "SYMLINK":
    case "MKNOD": {
      const { oid, opcode } = operation;
      const contentToCome = opcode === "CREATE" ? context.contentToCome(oid) : undefined;
      return judgeCreation(operation, state, author, contentToCome, context.revives?.(oid));
    }
    case "LINK":
      return judgeLink(operation, state, author);
    case "UNLINK":
      return judgeUnlink(operation, state);
    case "RMDIR":
      return judgeRmdir(operation, state);
    case "CLOSE":
      return judgeClose(operation, state, author);
    case "RENAME":
      return judgeRename(operation, state, author);
    case "SETATTR":
      return judgeSetattr(operation, state);
    case "SETEXTATTR":
    case "DELEXTATTR":
      return judgeExtendedAttribute(operation, state);
  }
}

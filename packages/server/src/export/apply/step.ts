import {
  applyOperation,
  MemoryState,
  ROOT_OID,
  type Name,
  type Oid,
  type ReplicatedOperation,
  type ServerRecord,
  type StateReader,
  type TreeObject,
} from "@izo/core";

/** A name in the tree. */
export interface Place {
  readonly parent: Oid;
  readonly name: Name;
}

/** The root under the only name that it has. */
export const ROOT_PLACE: Place = { parent: ROOT_OID, name: "." as Name };

/**
 * What a record changes in the exported tree. Each is one atomic system call that replaces, removes or
 * moves, so that a crash leaves it done or not done; `item` is the name in `staging/apply` of the inode
 * that goes in, or that comes out.
 */
export type Step =
  | {
      readonly kind: "place";
      readonly item: string;
      readonly object: TreeObject;
      readonly to: Place;
    }
  | {
      readonly kind: "exchange";
      readonly item: string;
      readonly object: TreeObject;
      readonly to: Place;
      /** Further names of the same inode, which get the new one too. */
      readonly others: readonly Place[];
    }
  | {
      readonly kind: "remove";
      readonly item: string;
      readonly oid: Oid;
      readonly isDirectory: boolean;
      readonly from: Place;
    }
  | {
      readonly kind: "move";
      readonly item: string;
      readonly oid: Oid;
      readonly from: Place;
      readonly to: Place;
      readonly victim: { readonly oid: Oid; readonly isDirectory: boolean } | null;
      readonly keepsOid: boolean;
    }
  | { readonly kind: "link"; readonly oid: Oid; readonly from: Place; readonly to: Place }
  | {
      readonly kind: "attributes";
      readonly oid: Oid;
      readonly at: Place | null;
      readonly operation: AttributeOperation;
    };

export type AttributeOperation = Extract<
  ReplicatedOperation,
  { opcode: "SETATTR" | "SETEXTATTR" | "DELEXTATTR" }
>;

/**
 * The step of a record, or null where it changes nothing in the tree.
 *
 * @param state as it stands before the record is replayed
 */
export function planStep(record: ServerRecord, state: StateReader): Step | null {
  const { operation, recno } = record;
  const item = String(recno);
  switch (operation.opcode) {
    case "CREATE":
    case "MKDIR":
    case "SYMLINK":
    case "MKNOD":
      return { kind: "place", item, object: madeObject(operation, record), to: operation };
    case "CLOSE": {
      const object = state.object(operation.oid)!;
      const [to, ...others] = state.links(operation.oid);
      const { sizeBytes, mtimeNs, sha256 } = operation;
      return {
        kind: "exchange",
        item,
        object: { ...object, sizeBytes, mtimeNs, sha256 },
        to: to!,
        others,
      };
    }
    case "UNLINK":
    case "RMDIR": {
      const { oid, opcode } = operation;
      return { kind: "remove", item, oid, isDirectory: opcode === "RMDIR", from: operation };
    }
    case "RENAME": {
      const { oid, fromParent, fromName, toParent, toName, victim, keepsOid } = operation;
      return {
        kind: "move",
        item,
        oid,
        from: { parent: fromParent, name: fromName },
        to: { parent: toParent, name: toName },
        victim: victim && {
          oid: victim.oid,
          isDirectory: state.object(victim.oid)?.kind === "directory",
        },
        keepsOid,
      };
    }
    case "LINK": {
      const [from] = state.links(operation.oid);
      return { kind: "link", oid: operation.oid, from: from!, to: operation };
    }
    case "SETATTR":
    case "SETEXTATTR":
    case "DELEXTATTR": {
      const { oid } = operation;
      return { kind: "attributes", oid, at: state.links(oid)[0] ?? null, operation };
    }
    case "NOOP":
    case "OUTCOME":
    case "ALIAS":
    case "TRUNCATED":
      return null;
  }
}

/** The directories in which a step changes names. */
export function directoriesOf(step: Step): Oid[] {
  switch (step.kind) {
    case "place":
      return [step.to.parent];
    case "exchange":
      return [step.to.parent, ...step.others.map(({ parent }) => parent)];
    case "remove":
      return [step.from.parent];
    case "move":
    case "link":
      return [step.from.parent, step.to.parent];
    case "attributes":
      return step.at === null ? [] : [step.at.parent];
  }
}

type Creation = Extract<ReplicatedOperation, { opcode: "CREATE" | "MKDIR" | "SYMLINK" | "MKNOD" }>;

/** The object as the record makes it: what replay puts into a state. */
function madeObject(operation: Creation, record: ServerRecord): TreeObject {
  const made = new MemoryState();
  applyOperation(operation, record.recno, record.origin.peer, made);
  return made.object(operation.oid)!;
}

import type { Oid, Recno } from "../kml/identity.ts";
import type { Base, ClientOperation } from "../kml/operation.ts";
import { entryKey } from "../replay/tree-object.ts";

/** The objects and names that an operation changes, and those that it only needs, as keys of sets. */
export interface Dependencies {
  readonly changes: readonly string[];
  readonly needs: readonly string[];
}

/**
 * What an operation has to do with others (design P3: same oid, same name, parent chain). Two
 * operations may change places unless one changes what the other changes or needs.
 */
export function dependenciesOf(operation: ClientOperation): Dependencies {
  switch (operation.opcode) {
    case "NOOP":
      return { changes: [], needs: [] };
    case "CREATE":
    case "MKDIR":
    case "SYMLINK":
    case "MKNOD":
    case "LINK":
    case "UNLINK":
    case "RMDIR":
      return {
        changes: [objectKey(operation.oid), nameKey(operation.parent, operation.name)],
        needs: [objectKey(operation.parent)],
      };
    case "RENAME":
      return {
        changes: [
          objectKey(operation.oid),
          nameKey(operation.fromParent, operation.fromName),
          nameKey(operation.toParent, operation.toName),
          ...(operation.victim === null ? [] : [objectKey(operation.victim.oid)]),
        ],
        needs: [objectKey(operation.fromParent), objectKey(operation.toParent)],
      };
    case "CLOSE":
    case "SETATTR":
    case "SETEXTATTR":
    case "DELEXTATTR":
      return { changes: [objectKey(operation.oid)], needs: [] };
  }
}

/** The directory that an operation removes, by itself or by taking its name; it must be empty then. */
function removedBy(operation: ClientOperation): Oid | undefined {
  if (operation.opcode === "RMDIR") return operation.oid;
  return operation.opcode === "RENAME" ? operation.victim?.oid : undefined;
}

/**
 * What an unsent record holds back while it waits: what changes or needs the same objects and names,
 * what removes a directory that it needs, and what builds on the record itself, which after a conflict
 * can be about another object.
 */
export class HeldRecords {
  readonly #keys = new Set<string>();
  readonly #needed = new Set<string>();
  readonly #recnos = new Set<Recno>();

  /** @param recnos the own records for which the waiting one stands */
  hold(operation: ClientOperation, recnos: readonly Recno[]): void {
    const { changes, needs } = dependenciesOf(operation);
    for (const key of changes) this.#keys.add(key);
    for (const key of needs) this.#needed.add(key);
    for (const recno of recnos) this.#recnos.add(recno);
  }

  holds(operation: ClientOperation): boolean {
    // As a rule nothing waits, and thousands of records are asked about for each batch.
    if (this.#keys.size === 0 && this.#recnos.size === 0) return false;
    const { changes, needs } = dependenciesOf(operation);
    const removed = removedBy(operation);
    return (
      (removed !== undefined && this.#needed.has(objectKey(removed))) ||
      [...changes, ...needs].some((key) => this.#keys.has(key)) ||
      basesOf(operation).some((base) => typeof base !== "number" && this.#recnos.has(base.recno))
    );
  }
}

/** All bases that an operation names. */
export function basesOf(operation: ClientOperation): readonly Base[] {
  switch (operation.opcode) {
    case "UNLINK":
      return [operation.nameBase, operation.contentBase];
    case "RMDIR":
      return [operation.nameBase];
    case "RENAME":
      return [
        operation.fromBase,
        operation.contentBase,
        ...(operation.victim === null ? [] : [operation.victim.contentBase]),
      ];
    case "CLOSE":
      return [operation.contentBase];
    case "SETATTR":
      return [
        ...(operation.attributes ? [operation.attributes.base] : []),
        ...(operation.times ? [operation.times.contentBase] : []),
      ];
    case "SETEXTATTR":
    case "DELEXTATTR":
      return [operation.base];
    default:
      return [];
  }
}

/** The operation with each of its bases replaced by what `change` makes of it. */
export function withBases<Op extends ClientOperation>(
  operation: Op,
  change: (base: Base) => Base,
): Op;
export function withBases(
  operation: ClientOperation,
  change: (base: Base) => Base,
): ClientOperation {
  switch (operation.opcode) {
    case "UNLINK":
      return {
        ...operation,
        nameBase: change(operation.nameBase),
        contentBase: change(operation.contentBase),
      };
    case "RMDIR":
      return { ...operation, nameBase: change(operation.nameBase) };
    case "RENAME": {
      const { victim } = operation;
      return {
        ...operation,
        fromBase: change(operation.fromBase),
        contentBase: change(operation.contentBase),
        victim: victim && { ...victim, contentBase: change(victim.contentBase) },
      };
    }
    case "CLOSE":
      return { ...operation, contentBase: change(operation.contentBase) };
    case "SETATTR": {
      const { attributes, times } = operation;
      return {
        ...operation,
        attributes: attributes && { ...attributes, base: change(attributes.base) },
        times: times && { ...times, contentBase: change(times.contentBase) },
      };
    }
    case "SETEXTATTR":
    case "DELEXTATTR":
      return { ...operation, base: change(operation.base) };
    default:
      return operation;
  }
}

function objectKey(oid: Oid): string {
  return `object ${oid}`;
}

function nameKey(parent: Oid, name: Parameters<typeof entryKey>[1]): string {
  return `name ${entryKey(parent, name)}`;
}

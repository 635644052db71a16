import { type Oid, ROOT_OID } from "../kml/identity.ts";
import type { ClientOperation } from "../kml/operation.ts";
import { objectAt } from "../replay/path-of.ts";
import type { StateReader } from "../replay/state.ts";
import { resolveOid, resolveOperation } from "./resolve.ts";

/**
 * What may be changed with a token that has a path: all that lies below a directory, by where objects
 * are in a tree and not by what records say. A file with a name elsewhere counts as elsewhere; one that
 * was removed meanwhile is where it was last. The directory itself is not below itself.
 *
 * The server judges pushes by it, and a client what its programs do and what it sends.
 */
export class ChangeScope {
  readonly #state: StateReader;
  readonly #base: Oid | undefined;
  /** Made by earlier records that were allowed. */
  readonly #made = new Set<Oid>();

  /** @param below a path from the root, `/docs`; `/` for everything */
  constructor(state: StateReader, below: string) {
    this.#state = state;
    this.#base = objectAt(state, below);
  }

  /** Tells whether names may come and go in a directory. */
  holdsDirectory(directory: Oid): boolean {
    if (this.#base === ROOT_OID) return true;
    let oid: Oid | undefined = directory;
    for (let depth = 0; oid !== undefined && oid !== ROOT_OID && depth < MAX_DEPTH; depth += 1) {
      oid = resolveOid(oid, this.#state);
      if (oid === this.#base || this.#made.has(oid)) return true;
      oid = (this.#state.links(oid)[0] ?? this.#state.tombstone(oid))?.parent;
    }
    return false;
  }

  /** Tells whether an object may be changed: by all of its names, or by its last one. */
  holdsObject(given: Oid): boolean {
    if (this.#base === ROOT_OID) return true;
    const oid = resolveOid(given, this.#state);
    if (this.#made.has(oid)) return true;
    const links = this.#state.links(oid);
    const places = links.length > 0 ? links : [this.#state.tombstone(oid)];
    return places.every((place) => place !== undefined && this.holdsDirectory(place.parent));
  }

  /**
   * Tells whether a record changes nothing outside, whatever it says of paths. What allowed records
   * make is inside for those that are asked about after them.
   */
  allows(submitted: ClientOperation): boolean {
    if (this.#base === ROOT_OID) return true;
    // A base may lead to another object: what it leads to is what would be changed.
    const resolution = resolveOperation(submitted, this.#state);
    if (resolution.kind === "base-refused") return true;
    const { operation } = resolution;
    const parents: Oid[] = [];
    if ("parent" in operation) parents.push(operation.parent);
    if (operation.opcode === "RENAME") parents.push(operation.fromParent, operation.toParent);
    // An id that means something already stays what it is, whatever the record says that it makes.
    const isNew = MAKES.has(operation.opcode) && "oid" in operation && !this.#knows(operation.oid);
    const victim = operation.opcode === "RENAME" ? operation.victim : null;
    const isAllowed =
      parents.every((parent) => this.holdsDirectory(parent)) &&
      (isNew || !("oid" in operation) || this.holdsObject(operation.oid)) &&
      (victim === null || this.holdsObject(victim.oid)) &&
      (parents.length > 0 || "oid" in operation || operation.opcode === "NOOP");
    if (isNew && isAllowed) this.#made.add(operation.oid);
    return isAllowed;
  }

  #knows(oid: Oid): boolean {
    return (
      this.#state.object(oid) !== undefined ||
      this.#state.alias(oid) !== undefined ||
      this.#state.tombstone(oid) !== undefined
    );
  }
}

/** Deeper than any tree: what removed directories say of their places is not checked for cycles. */
const MAX_DEPTH = 65_536;

const MAKES: ReadonlySet<string> = new Set(["CREATE", "MKDIR", "SYMLINK", "MKNOD"]);

import { ROOT_OID, type Oid, type PeerId, type Sha256 } from "../../kml/identity.ts";
import type { Name } from "../../kml/name.ts";
import type { Base, ClientOperation } from "../../kml/operation.ts";
import { isWithin, pathOf } from "../../replay/path-of.ts";
import type { StateReader } from "../../replay/state.ts";
import type { TreeObject } from "../../replay/tree-object.ts";
import type { Oracle } from "./oracle.ts";
import { placesOf, type Place } from "./places.ts";
import type { Random } from "./random.ts";

const NAMES = ["a", "b", "c", "d.txt", "e.tar.gz"] as Name[];

/** A machine on which programs run. */
export interface Host {
  readonly name: string;
  /** Whose atomic saves keep the identity of what they replace; null where a move stays a move. */
  readonly peer: PeerId | null;
  /** What programs see. */
  readonly visible: StateReader;
  contentOf(object: TreeObject): Sha256 | null;
  do(operation: ClientOperation): void | Promise<void>;
  close(oid: Oid, path: string, contentBase: Base, content: Sha256): void | Promise<void>;
}

/** What a program did: for the story, and to be counted. */
export interface Deed {
  readonly kind: string;
  readonly sentence: string;
}

/** Choices that turn out to be impossible before a program gives up. */
const ATTEMPTS = 6;

/** One random operation of a program on what it sees, told to the oracle. */
export class Workload {
  readonly #host: Host;
  readonly #random: Random;
  readonly #oracle: Oracle;

  constructor(host: Host, random: Random, oracle: Oracle) {
    this.#host = host;
    this.#random = random;
    this.#oracle = oracle;
  }

  /** Does one operation and says what it was, or null where nothing that was tried is possible. */
  async run(): Promise<Deed | null> {
    const places = placesOf(this.#host.visible);
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const deed = await this.#try(places);
      if (deed !== null) return deed;
    }
    return null;
  }

  async #try(places: readonly Place[]): Promise<Deed | null> {
    const files = places.filter(({ object }) => object.kind === "file");
    const directories = places.filter(({ object }) => object.kind === "directory");
    const parent =
      this.#random.chance(0.5) || directories.length === 0
        ? ROOT_OID
        : this.#random.pick(directories).object.oid;
    const name = this.#random.pick(NAMES);
    const choice = this.#random.below(100);
    if (choice < 22 || places.length === 0) return this.#create(parent, name);
    if (choice < 32) return this.#makeDirectory(parent, name);
    const place = this.#random.pick(places);
    if (choice >= 67) {
      if (choice < 70) return this.#exchange(place, this.#random.pick(places));
      if (choice < 80) return this.#moveSomewhere(place, parent, name, places);
      if (choice < 92) return this.#remove(place);
      if (choice < 96) return this.#changeMode(place);
    }
    if (files.length === 0) return null;
    const file = this.#random.pick(files);
    if (choice >= 96) return this.#link(file, parent, name);
    return choice < 57 ? this.#write(file) : this.#saveAtomically(file);
  }

  async #link({ object }: Place, parent: Oid, name: Name): Promise<Deed | null> {
    if (this.#isTaken(parent, name)) return null;
    const path = this.#path(parent, name);
    await this.#host.do({ opcode: "LINK", oid: object.oid, parent, name, path, conflict: null });
    return this.#deed("link", `links ${path}`);
  }

  async #create(parent: Oid, name: Name): Promise<Deed | null> {
    if (this.#isTaken(parent, name)) return null;
    const oid = await this.#make("CREATE", parent, name);
    await this.#close(oid, this.#path(parent, name));
    return this.#deed("create", `creates ${this.#path(parent, name)}`);
  }

  async #makeDirectory(parent: Oid, name: Name): Promise<Deed | null> {
    if (this.#isTaken(parent, name)) return null;
    await this.#make("MKDIR", parent, name);
    return this.#deed("mkdir", `makes ${this.#path(parent, name)}/`);
  }

  async #make(opcode: "CREATE" | "MKDIR", parent: Oid, name: Name): Promise<Oid> {
    const oid = this.#random.hex(32) as Oid;
    const path = this.#path(parent, name);
    const attributes = { mode: 0o644, uid: 1, gid: 1, mtimeNs: 0n };
    await this.#host.do({ opcode, oid, parent, name, path, ...attributes, conflict: null });
    return oid;
  }

  async #write({ entry, object }: Place): Promise<Deed> {
    const path = this.#path(entry.parent, entry.name);
    this.#oracle.replace(this.#host.contentOf(object));
    await this.#close(object.oid, path);
    return this.#deed("write", `writes ${path}`);
  }

  async #saveAtomically({ entry, object }: Place): Promise<Deed | null> {
    const temporary = `.${entry.name}.tmp`.slice(-255) as Name;
    const { parent } = entry;
    if (this.#isTaken(parent, temporary)) return null;
    const oid = await this.#make("CREATE", parent, temporary);
    await this.#close(oid, this.#path(parent, temporary));
    const { visible } = this.#host;
    const made = { entry: visible.entry(parent, temporary)!, object: visible.object(oid)! };
    await this.#move(made, parent, entry.name, true);
    const path = this.#path(parent, entry.name);
    return this.#deed("save", `saves ${path} (was ${object.oid.slice(0, 4)})`);
  }

  async #rename(place: Place, parent: Oid, name: Name): Promise<Deed | null> {
    const { visible } = this.#host;
    const { entry, object } = place;
    const target = visible.entry(parent, name);
    if (target?.oid === object.oid) return null;
    if (object.kind === "directory" && isWithin(visible, parent, object.oid)) return null;
    const victim = target && visible.object(target.oid);
    if (victim !== undefined) {
      if ((victim.kind === "directory") !== (object.kind === "directory")) return null;
      if (visible.hasChildren(victim.oid)) return null;
    }
    const from = this.#path(entry.parent, entry.name);
    await this.#move(place, parent, name, this.#isLikeSave(object, victim));
    return this.#deed("rename", `renames ${from} to ${this.#path(parent, name)}`);
  }

  /** To a name of a program's choice, or over something that is there, whose name can be one that nobody chose. */
  #moveSomewhere(place: Place, parent: Oid, name: Name, places: readonly Place[]) {
    if (this.#random.chance(0.7)) return this.#rename(place, parent, name);
    const { entry } = this.#random.pick(places);
    return this.#rename(place, entry.parent, entry.name);
  }

  /** Two names change places: three moves, as the filter logs them. */
  async #exchange(a: Place, b: Place): Promise<Deed | null> {
    const { peer, visible } = this.#host;
    if (peer === null || a.object.oid === b.object.oid) return null;
    const isInside = (inner: Place, outer: Place): boolean =>
      outer.object.kind === "directory" && isWithin(visible, inner.entry.parent, outer.object.oid);
    if (isInside(a, b) || isInside(b, a)) return null;
    const spare = `.exchange-${this.#random.hex(8)}` as Name;
    const paths = [a, b].map(({ entry }) => this.#path(entry.parent, entry.name));
    await this.#move(a, a.entry.parent, spare, false);
    await this.#move(b, a.entry.parent, a.entry.name, false);
    const entry = this.#host.visible.entry(a.entry.parent, spare)!;
    await this.#move({ ...a, entry }, b.entry.parent, b.entry.name, false);
    return this.#deed("exchange", `exchanges ${paths.join(" and ")}`);
  }

  async #move({ entry, object }: Place, parent: Oid, name: Name, keepsOid: boolean): Promise<void> {
    const { visible } = this.#host;
    const target = visible.entry(parent, name);
    const victim = target && visible.object(target.oid);
    const isLastName = victim !== undefined && visible.links(victim.oid).length === 1;
    if (victim !== undefined && isLastName) this.#oracle.replace(this.#host.contentOf(victim));
    await this.#host.do({
      opcode: "RENAME",
      oid: object.oid,
      contentBase: object.contentVersion,
      fromParent: entry.parent,
      fromName: entry.name,
      fromPath: this.#path(entry.parent, entry.name),
      fromBase: entry.version,
      toParent: parent,
      toName: name,
      toPath: this.#path(parent, name),
      victim:
        victim === undefined
          ? null
          : { oid: victim.oid, contentBase: victim.contentVersion, isLastName },
      keepsOid: keepsOid && isLastName,
      conflict: null,
    });
  }

  /** What any file of this peer is moved over is saved, as far as its client can tell. */
  #isLikeSave(object: TreeObject, victim: TreeObject | undefined): boolean {
    const { peer, visible } = this.#host;
    const isLone = (file: TreeObject | undefined): boolean =>
      file?.kind === "file" && visible.links(file.oid).length === 1;
    return peer !== null && object.creator === peer && isLone(object) && isLone(victim);
  }

  async #remove({ entry, object }: Place): Promise<Deed | null> {
    const { visible } = this.#host;
    const { parent, name, version: nameBase } = entry;
    const path = this.#path(parent, name);
    const common = { oid: object.oid, parent, name, path, nameBase };
    if (object.kind === "directory") {
      if (visible.hasChildren(object.oid)) return null;
      await this.#host.do({ opcode: "RMDIR", ...common });
    } else {
      const isLastName = visible.links(object.oid).length === 1;
      if (isLastName) this.#oracle.replace(this.#host.contentOf(object));
      const contentBase = object.contentVersion;
      await this.#host.do({ opcode: "UNLINK", ...common, contentBase, isLastName });
    }
    return this.#deed("remove", `removes ${path}`);
  }

  async #changeMode({ entry, object }: Place): Promise<Deed> {
    const path = this.#path(entry.parent, entry.name);
    const mode = this.#random.pick([0o600, 0o640, 0o755]);
    const attributes = { base: object.attributesVersion, mode, uid: object.uid, gid: object.gid };
    await this.#host.do({ opcode: "SETATTR", oid: object.oid, path, attributes, times: null });
    return this.#deed("chmod", `sets the mode of ${path}`);
  }

  async #close(oid: Oid, path: string): Promise<void> {
    const content = this.#random.hex(64) as Sha256;
    const { contentVersion } = this.#host.visible.object(oid)!;
    await this.#host.close(oid, path, contentVersion, content);
    this.#oracle.write(content, `${this.#host.name} ${path}`);
  }

  #isTaken(parent: Oid, name: Name): boolean {
    return this.#host.visible.entry(parent, name) !== undefined;
  }

  #path(parent: Oid, name: Name): string {
    return pathOf(this.#host.visible, parent, name);
  }

  #deed(kind: string, what: string): Deed {
    return { kind, sentence: `${this.#host.name} ${what}` };
  }
}

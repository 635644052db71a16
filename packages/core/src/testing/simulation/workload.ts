import { ROOT_OID, type Oid, type Sha256 } from "../../kml/identity.ts";
import type { Name } from "../../kml/name.ts";
import { isWithin, pathOf } from "../../replay/path-of.ts";
import type { StateReader } from "../../replay/state.ts";
import type { Entry, TreeObject } from "../../replay/tree-object.ts";
import type { Oracle } from "./oracle.ts";
import type { Random } from "./random.ts";
import type { SimulatedClient } from "./simulated-client.ts";

const NAMES = ["a", "b", "c", "d.txt", "e.tar.gz"] as Name[];

interface Place {
  readonly entry: Entry;
  readonly object: TreeObject;
}

/** One random operation of a program on a client's visible tree, told to the oracle. */
export class Workload {
  readonly #random: Random;
  readonly #oracle: Oracle;

  constructor(random: Random, oracle: Oracle) {
    this.#random = random;
    this.#oracle = oracle;
  }

  /** Does one operation and says in words what it was, or null where the choice was not possible. */
  step(client: SimulatedClient): string | null {
    const places = placesOf(client.visible);
    const files = places.filter(({ object }) => object.kind === "file");
    const directories = places.filter(({ object }) => object.kind === "directory");
    const parent =
      this.#random.chance(0.5) || directories.length === 0
        ? ROOT_OID
        : this.#random.pick(directories).object.oid;
    const choice = this.#random.below(100);
    if (choice < 22 || places.length === 0)
      return this.#create(client, parent, this.#random.pick(NAMES));
    if (choice < 32) return this.#make(client, parent, this.#random.pick(NAMES));
    if (choice < 57)
      return files.length === 0 ? null : this.#write(client, this.#random.pick(files));
    if (choice < 67)
      return files.length === 0 ? null : this.#saveAtomically(client, this.#random.pick(files));
    if (choice < 80)
      return this.#rename(client, this.#random.pick(places), parent, this.#random.pick(NAMES));
    if (choice < 92) return this.#remove(client, this.#random.pick(places));
    if (choice < 96)
      return files.length === 0
        ? null
        : this.#link(client, this.#random.pick(files), parent, this.#random.pick(NAMES));
    return this.#changeMode(client, this.#random.pick(places));
  }

  #link(client: SimulatedClient, { object }: Place, parent: Oid, name: Name): string | null {
    if (client.visible.entry(parent, name) !== undefined) return null;
    const path = pathOf(client.visible, parent, name);
    client.do({ opcode: "LINK", oid: object.oid, parent, name, path, conflict: null });
    return `${client.name} links ${path}`;
  }

  #create(client: SimulatedClient, parent: Oid, name: Name): string | null {
    if (client.visible.entry(parent, name) !== undefined) return null;
    const oid = this.#make(client, parent, name, "CREATE");
    this.#close(client, oid, pathOf(client.visible, parent, name));
    return `${client.name} creates ${pathOf(client.visible, parent, name)}`;
  }

  #make(client: SimulatedClient, parent: Oid, name: Name): string | null;
  #make(client: SimulatedClient, parent: Oid, name: Name, opcode: "CREATE"): Oid;
  #make(
    client: SimulatedClient,
    parent: Oid,
    name: Name,
    opcode: "CREATE" | "MKDIR" = "MKDIR",
  ): string | null {
    if (client.visible.entry(parent, name) !== undefined) return null;
    const oid = this.#random.hex(32) as Oid;
    const path = pathOf(client.visible, parent, name);
    client.do({
      opcode,
      oid,
      parent,
      name,
      path,
      mode: 0o644,
      uid: 1,
      gid: 1,
      mtimeNs: 0n,
      conflict: null,
    });
    return opcode === "CREATE" ? oid : `${client.name} makes ${path}/`;
  }

  #write(client: SimulatedClient, { entry, object }: Place): string {
    this.#oracle.replace(client.contentOf(object));
    this.#close(client, object.oid, pathOf(client.visible, entry.parent, entry.name));
    return `${client.name} writes ${pathOf(client.visible, entry.parent, entry.name)}`;
  }

  #saveAtomically(client: SimulatedClient, { entry, object }: Place): string | null {
    const temporary = `.${entry.name}.tmp` as Name;
    if (client.visible.entry(entry.parent, temporary) !== undefined) return null;
    const oid = this.#make(client, entry.parent, temporary, "CREATE");
    this.#close(client, oid, pathOf(client.visible, entry.parent, temporary));
    this.#move(
      client,
      {
        entry: client.visible.entry(entry.parent, temporary)!,
        object: client.visible.object(oid)!,
      },
      entry.parent,
      entry.name,
      true,
    );
    return `${client.name} saves ${pathOf(client.visible, entry.parent, entry.name)} (was ${object.oid.slice(0, 4)})`;
  }

  #rename(client: SimulatedClient, place: Place, parent: Oid, name: Name): string | null {
    const { visible } = client;
    const target = visible.entry(parent, name);
    if (target?.oid === place.object.oid) return null;
    if (place.object.kind === "directory" && isWithin(visible, parent, place.object.oid))
      return null;
    const victim = target && visible.object(target.oid);
    if (victim !== undefined) {
      if ((victim.kind === "directory") !== (place.object.kind === "directory")) return null;
      if (visible.hasChildren(victim.oid)) return null;
    }
    const from = pathOf(visible, place.entry.parent, place.entry.name);
    this.#move(client, place, parent, name, false);
    return `${client.name} renames ${from} to ${pathOf(client.visible, parent, name)}`;
  }

  #move(
    client: SimulatedClient,
    { entry, object }: Place,
    parent: Oid,
    name: Name,
    keepsOid: boolean,
  ): void {
    const target = client.visible.entry(parent, name);
    const victim = target && client.visible.object(target.oid);
    const isLastName = victim !== undefined && client.visible.links(victim.oid).length === 1;
    if (victim !== undefined && isLastName) this.#oracle.replace(client.contentOf(victim));
    client.do({
      opcode: "RENAME",
      oid: object.oid,
      contentBase: object.contentVersion,
      fromParent: entry.parent,
      fromName: entry.name,
      fromPath: pathOf(client.visible, entry.parent, entry.name),
      fromBase: entry.version,
      toParent: parent,
      toName: name,
      toPath: pathOf(client.visible, parent, name),
      victim:
        victim === undefined
          ? null
          : { oid: victim.oid, contentBase: victim.contentVersion, isLastName },
      keepsOid: keepsOid && isLastName,
      conflict: null,
    });
  }

  #remove(client: SimulatedClient, { entry, object }: Place): string | null {
    const { parent, name, version: nameBase } = entry;
    const path = pathOf(client.visible, parent, name);
    const common = { oid: object.oid, parent, name, path, nameBase };
    if (object.kind === "directory") {
      if (client.visible.hasChildren(object.oid)) return null;
      client.do({ opcode: "RMDIR", ...common });
    } else {
      const isLastName = client.visible.links(object.oid).length === 1;
      if (isLastName) this.#oracle.replace(client.contentOf(object));
      client.do({ opcode: "UNLINK", ...common, contentBase: object.contentVersion, isLastName });
    }
    return `${client.name} removes ${path}`;
  }

  #changeMode(client: SimulatedClient, { entry, object }: Place): string {
    const path = pathOf(client.visible, entry.parent, entry.name);
    const mode = this.#random.pick([0o600, 0o640, 0o755]);
    const attributes = { base: object.attributesVersion, mode, uid: object.uid, gid: object.gid };
    client.do({ opcode: "SETATTR", oid: object.oid, path, attributes, times: null });
    return `${client.name} sets the mode of ${path}`;
  }

  #close(client: SimulatedClient, oid: Oid, path: string): void {
    const content = this.#random.hex(64) as Sha256;
    this.#oracle.write(content, `${client.name} ${path}`);
    client.close(oid, path, client.visible.object(oid)!.contentVersion, content);
    if (this.#random.chance(0.7)) client.seal();
  }
}

/** All names of a visible tree with their objects, in a stable order. */
export function placesOf(state: StateReader): Place[] {
  const places: Place[] = [];
  const visit = (directory: Oid): void => {
    const entries = [...state.children(directory)].toSorted((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      const object = state.object(entry.oid);
      if (object === undefined) continue;
      places.push({ entry, object });
      if (object.kind === "directory") visit(object.oid);
    }
  };
  visit(ROOT_OID);
  return places;
}

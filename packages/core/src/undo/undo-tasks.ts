import { type Oid, type PeerId, type Recno, ROOT_OID } from "../kml/identity.ts";
import { resolveOid } from "../reintegrate/resolve.ts";
import { isWithin } from "../replay/path-of.ts";
import { authoritativeRecno, type Entry, type TreeObject } from "../replay/tree-object.ts";
import type { Journal } from "./journal.ts";
import type { LeftAloneReason, Revival } from "./undo-plan.ts";
import { UndoWriter } from "./undo-writer.ts";
import { isFree, type Place } from "./wanted-names.ts";

/** Something that waits for its place: for a name to become free, a directory to be made or emptied. */
export interface Task {
  readonly oid: Oid;
  readonly from: Entry | null;
  readonly to: Place | null;
  /** What is made anew at the place; undefined for a move, a further name, a removal. */
  readonly made?: TreeObject;
}

/** A task, and where its object is by now: elsewhere once it got out of the way. */
interface Waiting {
  readonly task: Task;
  readonly from: Entry | null;
}

export interface UndoTasksOptions {
  readonly journal: Journal;
  readonly peer: PeerId;
  /** Told of what cannot be done. */
  readonly leave: (oid: Oid, reason: LeftAloneReason, by: Recno | null) => void;
}

/** Gives objects back their places, makes those that were removed, and removes those that were made. */
export class UndoTasks {
  readonly #options: UndoTasksOptions;
  readonly #tasks: Task[] = [];
  #writer: UndoWriter;
  #revivals: Revival[] = [];
  /** Ids of those that return under another one than they had. */
  readonly #renewed = new Map<Oid, Oid>();
  /** Directories in whose stead others stand, and those. */
  readonly #merged = new Map<Oid, Oid>();

  constructor(options: UndoTasksOptions) {
    this.#options = options;
    this.#writer = new UndoWriter(options.journal.state, options.peer);
  }

  /** The operations so far, and the tree with them. */
  get writer(): UndoWriter {
    return this.#writer;
  }

  /** Objects that return under the id that they had. */
  get revivals(): readonly Revival[] {
    return this.#revivals;
  }

  add(task: Task): void {
    this.#tasks.push(task);
  }

  /** What is made for an object has this id. */
  renew(oid: Oid, newOid: Oid): void {
    this.#renewed.set(oid, newOid);
  }

  /**
   * Does what waits, in whatever order its places allow. What got out of the way for nothing, because what
   * it waited for stays, is left where it was: all is done anew without it.
   */
  run(): void {
    for (let tasks = this.#tasks; ;) {
      const stranded = this.#tryTasks(tasks);
      if (stranded.size === 0) return;
      tasks = tasks.filter((task) => !stranded.has(task));
      this.#writer = new UndoWriter(this.#options.journal.state, this.#options.peer);
      this.#revivals = [];
      this.#merged.clear();
    }
  }

  /** @returns the tasks whose objects are out of the way still */
  #tryTasks(tasks: readonly Task[]): Set<Task> {
    let waiting: readonly Waiting[] = tasks.map((task) => ({ task, from: task.from }));
    for (;;) {
      const left = waiting.filter((one) => !this.#tryTask(one));
      if (left.length === 0) return new Set();
      const next =
        left.length < waiting.length ? left : (this.#merge(left) ?? this.#putAside(left));
      if (next === null) {
        for (const { task } of left) this.#giveUp(task);
        return new Set(left.filter(({ task, from }) => from !== task.from).map(({ task }) => task));
      }
      waiting = next;
    }
  }

  #tryTask({ task: { oid, to, made }, from }: Waiting): boolean {
    const { state } = this.#writer;
    if (to === null) {
      if (state.hasChildren(oid)) return false;
      this.#writer.remove(from!);
      return true;
    }
    const place = { parent: this.present(to.parent), name: to.name };
    if (!isFree(state, place)) return false;
    if (made !== undefined) {
      this.#revive(oid);
      this.#writer.create(made, this.present(oid), place);
      return true;
    }
    const object = state.object(this.present(oid));
    if (object === undefined) return false;
    if (from === null) this.#writer.link(object.oid, place);
    else if (object.kind === "directory" && isWithin(state, place.parent, oid)) return false;
    else this.#writer.move(from, place);
    return true;
  }

  #revive(oid: Oid): void {
    if (this.#renewed.has(oid)) return;
    const { removedAt } = this.#options.journal.tombstone(oid)!;
    this.#revivals.push({ oid, removedAt: authoritativeRecno(removedAt) });
  }

  /** What an id stands for by now: what it merged into, or what returned in its stead. */
  present(oid: Oid): Oid {
    return this.#merged.get(oid) ?? this.#renewed.get(oid) ?? resolveOid(oid, this.#writer.state);
  }

  /** A directory whose name another one has by now: what was in it returns into that one. */
  #merge(waiting: readonly Waiting[]): Waiting[] | null {
    const { state } = this.#writer;
    const leaving = new Set(
      waiting.filter(({ from }) => from !== null).map(({ task }) => task.oid),
    );
    const rest = waiting.filter(({ task: { oid, to, made } }) => {
      if (made?.kind !== "directory" || to === null) return true;
      const standing = state.entry(this.present(to.parent), to.name);
      if (standing === undefined || leaving.has(standing.oid)) return true;
      if (state.object(standing.oid)?.kind !== "directory") return true;
      this.#merged.set(oid, standing.oid);
      return false;
    });
    return rest.length < waiting.length ? rest : null;
  }

  /**
   * Things wait for one another: one of those to be moved gets out of the way, beside its new place if that
   * directory is there already. Each does so once at most, so there is an end.
   */
  #putAside(waiting: readonly Waiting[]): Waiting[] | null {
    const { state } = this.#writer;
    for (const [index, { task, from }] of waiting.entries()) {
      const { oid, to } = task;
      if (from === null || to === null || from !== task.from) continue;
      const parent = this.present(to.parent);
      const isThere = state.object(parent)?.kind === "directory" && !isWithin(state, parent, oid);
      const name = `.izo-undo-${oid.slice(0, 12)}-${index}` as Entry["name"];
      const aside = { parent: isThere ? parent : ROOT_OID, name };
      if (!isFree(state, aside)) continue;
      this.#writer.move(from, aside);
      return waiting.with(index, { task, from: state.entry(aside.parent, name)! });
    }
    return null;
  }

  #giveUp({ oid, to }: Task): void {
    const { state } = this.#writer;
    if (to === null) {
      const [child] = state.children(oid);
      this.#options.leave(oid, "not-empty", recnoOf(child));
      return;
    }
    const standing = state.entry(this.present(to.parent), to.name);
    if (standing === undefined) this.#options.leave(oid, "parent-removed", null);
    else this.#options.leave(oid, "name-taken", recnoOf(standing));
  }
}

function recnoOf(entry: Entry | undefined): Recno | null {
  return typeof entry?.version === "number" ? entry.version : null;
}

import type { Oid, Recno } from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type { ReplicatedOperation } from "../kml/operation.ts";
import type { StateReader } from "../replay/state.ts";
import type { Entry } from "../replay/tree-object.ts";
import type { Journal } from "./journal.ts";
import { walkBack } from "./walk-back.ts";

export interface Place {
  readonly parent: Oid;
  readonly name: Name;
}

/** Which names an object shall get and lose. */
export interface NameChanges {
  /** Names that selected records gave to it. */
  readonly toLose: Entry[];
  /** Names that selected records took from it. */
  readonly toGet: Place[];
  /** Somebody else's record that moved the object on from where a selected one had moved it. */
  movedOnBy: Recno | null;
  /** Somebody else's record that gave or took a name which a selected one had changed. */
  keptBy: Recno | null;
}

/** The records that names are judged by. */
export interface NameRecords {
  readonly isSelected: (recno: Recno) => boolean;
  readonly operationOf: (recno: Recno) => ReplicatedOperation | undefined;
}

/** The changes of names that are undone, by the object that has or had them. */
export function wantedNames(journal: Journal, records: NameRecords): Map<Oid, NameChanges> {
  const changes = new Map<Oid, NameChanges>();
  const changesOf = (oid: Oid): NameChanges => {
    let found = changes.get(oid);
    if (found === undefined) {
      changes.set(oid, (found = { toLose: [], toGet: [], movedOnBy: null, keptBy: null }));
    }
    return found;
  };
  for (const { parent, name, spells } of journal.names()) {
    const walked = walkBack(spells, (entry) => entry?.oid, records.isSelected);
    if (walked.kind === "undone") {
      const [was, now] = [walked.value, spells.at(-1)!.value];
      const movedOnBy = was === undefined ? null : movedOn(was.oid, walked.first, journal, records);
      // What had the name before and has it again went another way meanwhile, or never really lost it.
      if (now?.oid === was?.oid && movedOnBy === null) continue;
      if (now !== undefined) changesOf(now.oid).toLose.push(now);
      if (was === undefined) continue;
      if (movedOnBy === null) changesOf(was.oid).toGet.push({ parent, name });
      else changesOf(was.oid).movedOnBy = movedOnBy;
    } else if (walked.kind === "kept") {
      for (const { value } of spells) {
        if (value !== undefined) changesOf(value.oid).keptBy = walked.by;
      }
    }
  }
  return changes;
}

/**
 * Follows an object from the record that took a name from it, where that is a move, to where it was moved
 * then: the first move that is somebody else's, or null.
 */
function movedOn(
  oid: Oid,
  lostBy: Recno,
  journal: Journal,
  { isSelected, operationOf }: NameRecords,
): Recno | null {
  for (let recno: Recno | null | undefined = lostBy; ;) {
    const move = recno ? operationOf(recno) : undefined;
    if (move?.opcode !== "RENAME" || move.oid !== oid || !recno) return null;
    if (!isSelected(recno)) return recno;
    const spells = journal.spellsOf(move.toParent, move.toName);
    const at = spells.findIndex(({ by }) => by === recno);
    recno = spells[at + 1]?.by;
  }
}

/** Tells whether nothing stands at a place, in a directory that lives. */
export function isFree(state: StateReader, { parent, name }: Place): boolean {
  return state.object(parent)?.kind === "directory" && state.entry(parent, name) === undefined;
}

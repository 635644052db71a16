import { pathOf, textToBytes, type Oid, type ServerRecord, type StateReader } from "@izo/core";
import { fstatat } from "@izo/sys";

import type { Fileset } from "./fileset.ts";
import type { Intent, IntentProbe } from "./intents.ts";
import type { Place, Step } from "./step.ts";

/**
 * What recovery has to know of a step.
 *
 * @param after the tree as it stands behind the record: paths of intents hold exactly then
 */
export function planIntent(
  fileset: Fileset,
  record: ServerRecord,
  step: Step | null,
  after: StateReader,
): Intent {
  const probe = step && planProbe(fileset, step, after);
  const isReplacing = step?.kind === "move" && step.victim !== null;
  const rest = isReplacing
    ? { path: pathBytes(step.from, after), ino: inodeOf(fileset, step.victim!.oid), item: step.item }
    : null;
  return { record, probe, rest };
}

function planProbe(fileset: Fileset, step: Step, after: StateReader): IntentProbe {
  switch (step.kind) {
    case "place":
      return { kind: "item-gone", item: step.item };
    case "exchange":
      // The item is made after the intents are planned; its inode is filled in then.
      return { kind: "item-exchanged", item: step.item, ino: "" };
    case "remove":
      return { kind: "item-there", item: step.item };
    case "move":
    case "link":
      return { kind: "at-path", path: pathBytes(step.to, after), ino: inodeOf(fileset, step.oid) };
    case "attributes":
      return { kind: "repeat", path: step.at === null ? "" : pathBytes(step.at, after) };
  }
}

/** The intent with the inode of the item, now that there is one. */
export function withItemInode(fileset: Fileset, intent: Intent): Intent {
  const { probe } = intent;
  if (probe?.kind !== "item-exchanged") return intent;
  const { ino } = fstatat(fileset.applyFd, probe.item, { noFollow: true });
  return { ...intent, probe: { ...probe, ino: String(ino) } };
}

function pathBytes(place: Place, state: StateReader): string {
  const path = textToBytes(pathOf(state, place.parent, place.name).slice(1));
  return Buffer.from(path).toString("base64");
}

/** The number by which the object is known; empty for one that the batch itself makes. */
function inodeOf(fileset: Fileset, oid: Oid): string {
  return String(fileset.committed.notes.get(oid)?.ino ?? "");
}

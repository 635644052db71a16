import { pathOf, textToBytes, type Oid, type ServerRecord, type StateReader } from "@izo/core";
import { fstatat } from "@izo/sys";

import type { Fileset } from "../fileset.ts";
import type { Intent, IntentProbe } from "./intents.ts";
import type { Place, Step } from "./step.ts";

/**
 * What recovery has to know of a step. Inodes are filled in by {@link withInodes}, when there are any.
 *
 * @param after the tree as it stands behind the record: paths of intents hold exactly then
 */
export function planIntent(record: ServerRecord, step: Step | null, after: StateReader): Intent {
  const probe = step && planProbe(step, after);
  const isReplacing = step?.kind === "move" && step.victim !== null;
  const rest = isReplacing ? { path: pathBytes(step.from, after), ino: "", item: step.item } : null;
  const hasLinks = step?.kind === "exchange" && step.others.length > 0;
  const links = hasLinks
    ? {
        from: pathBytes(step.to, after),
        to: step.others.map((place) => pathBytes(place, after)),
        ino: "",
      }
    : null;
  return { record, probe, rest, links };
}

function planProbe(step: Step, after: StateReader): IntentProbe {
  switch (step.kind) {
    case "place":
      return { kind: "item-gone", item: step.item };
    case "exchange":
      return { kind: "item-exchanged", item: step.item, ino: "" };
    case "remove":
      return { kind: "item-there", item: step.item };
    case "move":
    case "link":
      return { kind: "at-path", path: pathBytes(step.to, after), ino: "" };
    case "attributes":
      return { kind: "repeat", path: step.at === null ? "" : pathBytes(step.at, after) };
  }
}

/**
 * The intents with the inodes that their probes look for, now that all items are made: in the order of
 * the steps, because a later one can move or link what an earlier one puts in.
 */
export function withInodes(
  fileset: Fileset,
  planned: readonly { readonly step: Step | null; readonly intent: Intent }[],
): Intent[] {
  const inodes = new Map<Oid, string>();
  const inodeOf = (oid: Oid): string =>
    inodes.get(oid) ?? String(fileset.committed.notes.get(oid)?.ino ?? "");
  return planned.map(({ step, intent }) => {
    if (step === null || intent.probe === null) return intent;
    if (step.kind === "place" || step.kind === "exchange") {
      const links = intent.links && { ...intent.links, ino: inodeOf(step.object.oid) };
      const ino = String(fstatat(fileset.applyFd, step.item, { noFollow: true }).ino);
      inodes.set(step.object.oid, ino);
      return { ...intent, probe: { ...intent.probe, ino }, links };
    }
    if (step.kind !== "move" && step.kind !== "link") return intent;
    const ino = inodeOf(step.oid);
    const victim = step.kind === "move" ? step.victim : null;
    const rest = intent.rest && victim && { ...intent.rest, ino: inodeOf(victim.oid) };
    if (step.kind === "move" && step.keepsOid && victim !== null) inodes.set(victim.oid, ino);
    return { ...intent, probe: { ...intent.probe, ino }, rest };
  });
}

function pathBytes(place: Place, state: StateReader): string {
  const path = textToBytes(pathOf(state, place.parent, place.name).slice(1));
  return Buffer.from(path).toString("base64");
}

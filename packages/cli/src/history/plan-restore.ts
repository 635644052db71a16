import { lstatSync } from "node:fs";

import type { HttpHistory } from "@izo/client";
import { IzoError, type ListedObject, type LogPlace, textToBytes } from "@izo/core";

/** What is to be made at a local path; what holds others comes before them. */
export interface RestoredItem {
  readonly object: ListedObject;
  /** In the fileset, where its content is asked for. */
  readonly path: string;
  /** On this machine; names need not be UTF-8. */
  readonly target: Buffer;
  /** What stands there: nothing, a directory that is kept, or something that would be replaced. */
  readonly standing: "nothing" | "directory" | "other";
}

/** Something stands where something else would be restored, and nobody has said that it may go. */
export class WouldOverwriteError extends IzoError {
  constructor(paths: readonly string[]) {
    const [first = ""] = paths;
    const more = paths.length > 1 ? ` and ${paths.length - 1} more` : "";
    super(
      "would-overwrite",
      `Cannot restore over ${JSON.stringify(first)}${more}: there is something else`,
      { paths },
    );
  }
}

export interface RestorePlace {
  readonly history: HttpHistory;
  readonly at: LogPlace;
  readonly signal: AbortSignal;
}

/**
 * All that stood at a path and below it, and where it is to go. Directories that are there take in what
 * comes; files and symlinks are replaced only with `mayOverwrite`.
 *
 * @throws WouldOverwriteError before anything is done
 */
export async function planRestore(
  place: RestorePlace,
  path: string,
  target: string,
  mayOverwrite: boolean,
): Promise<RestoredItem[]> {
  const object = await place.history.lookUp(path, place.at, place.signal);
  const items: RestoredItem[] = [];
  await addItem(place, { object, path, target: Buffer.from(textToBytes(target)) }, items);
  const blocked = items.filter(({ object: { kind }, standing }) =>
    kind === "directory"
      ? standing === "other"
      : standing === "directory" || (standing === "other" && !mayOverwrite),
  );
  if (blocked.length > 0) {
    throw new WouldOverwriteError(blocked.map((item) => item.target.toString()));
  }
  return items;
}

async function addItem(
  place: RestorePlace,
  { object, path, target }: Omit<RestoredItem, "standing">,
  items: RestoredItem[],
): Promise<void> {
  items.push({ object, path, target, standing: standingAt(target) });
  if (object.kind !== "directory") return;
  const { entries } = await place.history.listing(path, place.at, place.signal);
  for (const entry of entries) {
    const below = {
      object: entry,
      path: `${path === "/" ? "" : path}/${entry.name}`,
      target: Buffer.concat([target, Buffer.from("/"), textToBytes(entry.name)]),
    };
    // oxlint-disable-next-line no-await-in-loop -- one directory after another
    await addItem(place, below, items);
  }
}

/** A symlink to a directory is none: nothing is written through it. */
function standingAt(target: Buffer): RestoredItem["standing"] {
  const stat = lstatSync(target, { throwIfNoEntry: false });
  if (stat === undefined) return "nothing";
  return stat.isDirectory() ? "directory" : "other";
}

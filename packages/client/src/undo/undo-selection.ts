import {
  isAbout,
  type LogPlace,
  type PeerId,
  type Recno,
  recordAuthors,
  type ServerRecord,
} from "@izo/core";

/** Which records are to be undone; all of the range where nothing else is named. */
export interface UndoSelection {
  /** Records behind this place. */
  readonly after: LogPlace;
  /** Records up to this place; undefined for the head. */
  readonly until?: LogPlace;
  /** Only those of the peer whose id begins so. */
  readonly peer?: string;
  /** Only those about this path or below it, as they name it. */
  readonly path?: string;
}

/** The records that a selection means, and the peers that made them. */
export interface SelectedRecords {
  readonly recnos: ReadonlySet<Recno>;
  readonly peers: ReadonlyMap<PeerId, number>;
}

/** @param until the last record of the range */
export function selectRecords(
  records: readonly ServerRecord[],
  until: Recno,
  { peer = "", path = "/" }: UndoSelection,
): SelectedRecords {
  const authors = recordAuthors(records);
  const recnos = new Set<Recno>();
  const peers = new Map<PeerId, number>();
  for (const [index, { recno, operation }] of records.entries()) {
    const author = authors[index]!;
    if (recno > until || !author.startsWith(peer)) continue;
    if (path !== "/" && !isAbout(operation, path)) continue;
    recnos.add(recno);
    peers.set(author, (peers.get(author) ?? 0) + 1);
  }
  return { recnos, peers };
}

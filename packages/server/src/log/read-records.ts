import type { KmlReader, Recno, ServerRecord } from "@izo/core";

/** Records that lie closer are read in one go: to find a place in a segment costs as much as some to read. */
const NEAR_RECORDS = 256;

/** The records with these numbers, in the order of the log, each once; all have to be in it. */
export function* readRecords(
  log: KmlReader,
  recnos: readonly Recno[],
): Generator<ServerRecord, void> {
  const wanted = [...new Set(recnos)].toSorted((a, b) => a - b);
  for (let at = 0; at < wanted.length;) {
    let end = at + 1;
    while (end < wanted.length && wanted[end]! - wanted[end - 1]! <= NEAR_RECORDS) end += 1;
    const upTo = wanted[end - 1]!;
    for (const scanned of log.read((wanted[at]! - 1) as Recno, { upTo })) {
      if (scanned.recno !== wanted[at]) continue;
      yield scanned.decode() as ServerRecord;
      at += 1;
    }
    at = end;
  }
}

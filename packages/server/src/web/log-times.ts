import type { Recno } from "@izo/core";

import type { Export } from "../export/export.ts";

/** More than the charts of one page ask for; the oldest go first. */
const MAX_TIMES = 512;

const known = new WeakMap<Export, Map<number, Recno>>();

/**
 * The last record that was logged by a time. What is past does not change any more, so each time is looked
 * up in the log once: a chart that is drawn again costs one look-up for each step that time has gone on.
 */
export function recnoAt(fileset: Export, timeMs: number): Recno {
  if (timeMs >= Date.now()) return fileset.headPosition.recno;
  let times = known.get(fileset);
  if (times === undefined) known.set(fileset, (times = new Map()));
  let recno = times.get(timeMs);
  if (recno === undefined) {
    recno = fileset.history.lastBy(BigInt(timeMs) * 1_000_000n);
    times.set(timeMs, recno);
    const [oldest] = times.keys();
    if (times.size > MAX_TIMES) times.delete(oldest!);
  }
  return recno;
}

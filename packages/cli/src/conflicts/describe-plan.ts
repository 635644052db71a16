import type { PushPlan } from "@izo/client";

import { formatCount } from "../output/quantity.ts";
import { formatTable } from "../output/table.ts";

/** What a push would do, for people: one line per record, and a sum. */
export function describePlan({ recno, arePoliciesKnown, records }: PushPlan): string {
  if (records.length === 0) return "nothing waits to be sent";
  const columns = [{ title: "outcome" }, { title: "operation" }, { title: "path" }];
  const rows = records.map(({ opcode, path, verdict, reason, becomes }) => [
    reason === null ? verdict : `${verdict}, ${reason}`,
    opcode,
    becomes === null ? path : `${path} → ${becomes}`,
  ]);
  const counts = Map.groupBy(records, ({ verdict }) => verdict);
  const sum = Array.from(counts, ([verdict, those]) => `${formatCount(those.length)} ${verdict}`);
  const lines = [
    formatTable(columns, rows),
    "",
    `${sum.join(", ")}; judged by the server's tree as of record ${formatCount(recno)}`,
  ];
  if (!arePoliciesKnown) {
    lines.push("The server has not named its conflict policies yet: those built in were taken");
  }
  return lines.join("\n");
}

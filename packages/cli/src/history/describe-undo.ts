import type { PlannedUndo, UndoneOtherwise } from "@izo/client";
import { type ClientOperation, LEFT_ALONE_REASONS, recordPaths } from "@izo/core";

import { printable } from "../output/printable.ts";
import { formatCount } from "../output/quantity.ts";

/** Lines of a plan that people read; the rest is counted. Programs get all of it. */
const MAX_LINES = 40;

/** A plan as a value for programs. */
export function undoToJson({ selected, after, until, plan, peer }: PlannedUndo): object {
  return {
    after,
    until,
    selectedRecords: selected.recnos.size,
    peers: [...selected.peers].map(([id, records]) => ({ peer: id, records })),
    undoPeer: peer,
    operations: plan.operations.map((operation) => ({
      opcode: operation.opcode,
      paths: recordPaths(operation),
    })),
    leftAlone: plan.leftAlone,
  };
}

/** A plan for people: what it is about, what would be done, what stays. */
export function describeUndo({ selected, after, until, plan }: PlannedUndo): string {
  const peers = [...selected.peers].map(
    ([peer, records]) => `${peer.slice(0, 8)} ${formatCount(records)}`,
  );
  const { operations, leftAlone } = plan;
  const lines = [
    `${formatCount(selected.recnos.size)} records behind ${after} up to ${until}` +
      (peers.length === 0 ? "" : `, by peer: ${peers.join(", ")}`),
    ...shorten(operations.map(describeOperation)),
    `${formatCount(operations.length)} changes ${operations.length === 0 ? "are" : "would be"} made`,
  ];
  if (leftAlone.length === 0) return lines.join("\n");
  const kept = leftAlone.map(({ path, reason, by }) => {
    const record = by === null ? "" : ` (record ${by})`;
    return `  ${printable(path)}: ${LEFT_ALONE_REASONS[reason]}${record}`;
  });
  return [...lines, `${formatCount(leftAlone.length)} left alone:`, ...shorten(kept)].join("\n");
}

/** What somebody else was faster with, for people. */
export function describeOtherwise(otherwise: readonly UndoneOtherwise[]): string[] {
  return shorten(
    otherwise.map(({ operation, result: { verdict, reason, trace } }) => {
      const why = reason === null ? "" : `, ${reason}`;
      return `  ${recordPaths(operation).map(printable).join(" → ")}: ${verdict}${why} (record ${trace})`;
    }),
  );
}

function describeOperation(operation: ClientOperation): string {
  const paths = recordPaths(operation).map(printable).join(" → ");
  return `  ${WORDS[operation.opcode]} ${paths}`;
}

const WORDS: Readonly<Record<ClientOperation["opcode"], string>> = {
  NOOP: "do nothing",
  CREATE: "bring back file",
  MKDIR: "bring back directory",
  SYMLINK: "bring back symlink",
  MKNOD: "bring back special file",
  LINK: "give back the name",
  UNLINK: "remove",
  RMDIR: "remove directory",
  CLOSE: "put back the content of",
  RENAME: "move back",
  SETATTR: "put back attributes of",
  SETEXTATTR: "put back an attribute of",
  DELEXTATTR: "take away an attribute of",
};

function shorten(lines: readonly string[]): string[] {
  if (lines.length <= MAX_LINES) return [...lines];
  const more = lines.length - MAX_LINES;
  return [...lines.slice(0, MAX_LINES), `  and ${formatCount(more)} more (all with --json)`];
}

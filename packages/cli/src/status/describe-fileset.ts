import type { FilesetStatus } from "@izo/core";

import { formatBytes, formatCount } from "../output/quantity.ts";
import { formatFields, formatTable } from "../output/table.ts";
import { answerOfFileset } from "./answer.ts";

/** A served fileset for people: the answer first, then its figures and its peers. */
export function describeFileset(status: FilesetStatus): string {
  const { heldRemoval, problems } = status;
  const fields = formatFields([
    ["fileset", `${status.filesetName} (${status.filesetId})`],
    [
      "records",
      `${formatCount(status.headRecno)}, kept from ${formatCount(status.oldestRecno)} on (${formatBytes(status.logBytes)})`,
    ],
    ["files", `${formatCount(status.files)}, ${formatBytes(status.bytes)}`],
    [
      "old contents",
      `${formatCount(status.oldContents.count)}, ${formatBytes(status.oldContents.bytes)}`,
    ],
    ["watching", status.watching],
    ...(heldRemoval === null
      ? []
      : [
          [
            "held",
            `${formatCount(heldRemoval.removed)} of ${formatCount(heldRemoval.objects)} are gone: not taken for removals`,
          ] as const,
        ]),
    ...problems.map(({ path, message }) => ["problem", `${path}: ${message}`] as const),
  ]);
  const answer = `${answerOfFileset(status).sentence}\n\n${fields}`;
  if (status.peers.length === 0) return answer;
  const columns = [
    { title: "peer" },
    { title: "host" },
    { title: "replayed", align: "right" },
    { title: "behind", align: "right" },
    { title: "received", align: "right" },
    { title: "last seen" },
  ] as const;
  const rows = status.peers.map(({ peer, host, receivedRecno, replayedRecno, lastSeenMs }) => [
    peer.slice(0, 8),
    host,
    formatCount(replayedRecno),
    formatCount(Math.max(0, status.headRecno - replayedRecno)),
    formatCount(receivedRecno),
    new Date(lastSeenMs).toISOString(),
  ]);
  return `${answer}\n\n${formatTable(columns, rows)}`;
}

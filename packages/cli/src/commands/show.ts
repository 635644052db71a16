import { Command } from "@commander-js/extra-typings";
import type { HttpRemote } from "@izo/client";
import {
  formatTimeNs,
  NO_CHECK,
  outcomeOfTrace,
  ProblemError,
  type Recno,
  recordToJson,
  type ServerRecord,
} from "@izo/core";

import { type Cli, outputOf } from "../cli.ts";
import { describeAuthor, hostNames } from "../history/describe-author.ts";
import { openSubject } from "../history/history-subject.ts";
import { diffContents, type NamedContent } from "../history/old-content.ts";
import { describeRecord } from "../log/describe-record.ts";
import { formatFields } from "../output/table.ts";
import { withConnectionOptions } from "./connection-options.ts";
import { filesetOption } from "./fileset-option.ts";
import { jsonOption } from "./json-option.ts";
import { parseRecno } from "./parse-number.ts";

/** `izo show`: one record, with all that it says. */
export function showCommand(cli: Cli) {
  return withConnectionOptions(
    new Command("show")
      .description(
        "show a record in full: who, when, what, on what it builds, and what became of it",
      )
      .argument("<what>", "a URL, or a path on a mount or in the export")
      .argument("<recno>", "the number of the record", parseRecno),
  )
    .addOption(filesetOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Of a record that changed a content the change is shown too, as a unified diff, while the server keeps both
contents and they are texts. With --json the record as in the log, with its outcome and the diff.

Examples:
  izo show http://nas:8370/rootfset 4131
  izo show /mnt/project 4131 --json | jq .operation`,
    )
    .action(async (what, recno, options) => {
      const output = outputOf(cli, options);
      const { signal } = cli;
      await using subject = openSubject(what, undefined, options, cli);
      const { remote } = subject;
      const record = await readRecord(remote, recno, signal);
      const outcome = outcomeOfTrace(record);
      const diff = await contentDiff(remote, record, signal);
      const hosts = await hostNames(remote, signal);
      const fields = [
        ["record", describeRecord(record).trim()],
        ["by", describeAuthor(record, hosts)],
        ["its number there", record.origin.check === NO_CHECK ? "" : String(record.origin.recno)],
        ["author's time", formatTimeNs(record.authorTimeNs)],
        ["logged", formatTimeNs(record.logTimeNs)],
        ["outcome", outcome === null ? "" : describeOutcome(outcome)],
        ...operationFields(record),
      ] as const;
      const shown = fields.filter(([, value]) => value !== "");
      const verdict = outcome && { verdict: outcome.verdict, reason: outcome.reason };
      output.result(
        { ...recordToJson(record), outcome: verdict, diff },
        [formatFields(shown), ...(diff.length === 0 ? [] : ["", ...diff])].join("\n"),
      );
    });
}

async function readRecord(
  remote: HttpRemote,
  recno: Recno,
  signal: AbortSignal,
): Promise<ServerRecord> {
  const before = await remote.positionAt(Math.max(0, recno - 1) as Recno, signal);
  const { records } = await remote.poll(before, { limitRecords: 1 }, signal);
  const [record] = records;
  if (record?.recno === recno) return record;
  throw new ProblemError("unknown-record", `Cannot show record ${recno}: the log does not hold it`);
}

/** The change of content that a record made, with what its path held before. */
async function contentDiff(
  remote: HttpRemote,
  { recno, operation }: ServerRecord,
  signal: AbortSignal,
): Promise<string[]> {
  const isSave = operation.opcode === "RENAME" && operation.keepsOid;
  if (operation.opcode !== "CLOSE" && !isSave) return [];
  const path = operation.opcode === "CLOSE" ? operation.path : operation.toPath;
  const before = await contentAt(remote, path, (recno - 1) as Recno, signal);
  const after = await contentAt(remote, path, recno, signal);
  return before?.sha256 === after?.sha256 ? [] : diffContents(remote, before, after, signal);
}

/** Null where nothing stood there, or the log was cut off behind it. */
async function contentAt(
  remote: HttpRemote,
  path: string,
  recno: Recno,
  signal: AbortSignal,
): Promise<NamedContent | null> {
  try {
    const place = { kind: "recno", recno } as const;
    const { sha256, sizeBytes } = await remote.history.lookUp(path, place, signal);
    return sha256 === null ? null : { sha256, sizeBytes };
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "unknown-path" || code === "log-truncated") return null;
    throw error;
  }
}

function describeOutcome({
  verdict,
  reason,
}: NonNullable<ReturnType<typeof outcomeOfTrace>>): string {
  return reason === null ? verdict : `${verdict}, ${reason}`;
}

/** What the operation says, field by field: ids, bases, sizes. */
function operationFields(record: ServerRecord): (readonly [string, string])[] {
  return Object.entries(recordToJson(record)["operation"] as object)
    .filter(([name, value]) => name !== "opcode" && value !== null)
    .map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]);
}

import { readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";

import { Command } from "@commander-js/extra-typings";
import {
  isSamePosition,
  KmlDamageError,
  NoLogError,
  parseSegmentName,
  type Position,
} from "@izo/core";

import { type Cli, outputOf } from "../cli.ts";
import { describeRecord } from "../log/describe-record.ts";
import { findLogDirectory } from "../log/directory-source.ts";
import { type DumpLine, dumpSegment } from "../log/dump-segment.ts";
import { jsonOption } from "./json-option.ts";

/** `izo kml`: a log's bytes, for those who look into them. */
export function kmlCommand(cli: Cli) {
  return new Command("kml")
    .description("look into the files of a log")
    .addCommand(dumpCommand(cli));
}

function dumpCommand(cli: Cli) {
  return new Command("dump")
    .description(
      "print every record of a segment or a log directory, with offsets and running hashes",
    )
    .argument("<path>", "a segment file, a log directory, or the directory that holds it as kml/")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Everything is checked on the way: magic, lengths, checksums, numbers, and the chain of hashes from one
segment to the next. Damage ends the dump with its segment and offset, and exit status 5.

Examples:
  izo kml dump /srv/project/.intermezzo/rootfset
  izo kml dump --json cache/kml | jq .position`,
    )
    .action((path, options) => {
      const output = outputOf(cli, options);
      for (const line of dumpLog(path)) {
        if (cli.signal.aborted) break;
        output.result(line, formatLine(line));
      }
    });
}

function* dumpLog(path: string): Generator<DumpLine> {
  if (statSync(path).isFile()) {
    yield* dumpSegment(path, basename(path));
    return;
  }
  const directory = findLogDirectory(path);
  if (directory === undefined) throw new NoLogError(path);
  const names = readdirSync(directory).filter((name) => parseSegmentName(name) !== null);
  let end: Position | undefined;
  for (const name of names.toSorted()) end = yield* dumpNext(join(directory, name), name, end);
}

/** Dumps a segment that must go on where the one before ended. */
function* dumpNext(
  path: string,
  name: string,
  before: Position | undefined,
): Generator<DumpLine, Position> {
  const lines = dumpSegment(path, name);
  for (;;) {
    const { done, value } = lines.next();
    if (done === true) return value;
    if (value.kind === "segment" && before !== undefined && !follows(value, before)) {
      throw new KmlDamageError(
        { segment: name, offset: 0 },
        `it does not go on from record ${before.recno}`,
      );
    }
    yield value;
  }
}

function follows({ header }: DumpLine & { kind: "segment" }, before: Position): boolean {
  return isSamePosition(before, {
    recno: (header.first - 1) as Position["recno"],
    hash: header.hashBefore,
  });
}

function formatLine(line: DumpLine): string {
  if (line.kind === "record") {
    const hash = line.position.split("/")[1]?.slice(0, 12);
    return `${String(line.offset).padStart(9)} +${String(line.sizeBytes).padEnd(5)} ${hash}  ${describeRecord(line.record)}`;
  }
  const { segment, header, sizeBytes } = line;
  return `${segment}  fileset ${header.fileset}  peer ${header.peer}  first ${header.first}  ${sizeBytes} bytes`;
}

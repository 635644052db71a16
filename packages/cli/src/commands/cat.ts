import { createHash } from "node:crypto";

import { Command, Option } from "@commander-js/extra-typings";
import { IzoError, ProblemError } from "@izo/core";

import { type Cli, outputOf } from "../cli.ts";
import { openSubject } from "../history/history-subject.ts";
import { parsePlace } from "../history/parse-place.ts";
import type { OutputStream } from "../output/output.ts";
import { withConnectionOptions } from "./connection-options.ts";
import { filesetOption } from "./fileset-option.ts";
import { jsonOption } from "./json-option.ts";

/** `izo cat`: a file's content as it was. */
export function catCommand(cli: Cli) {
  return withConnectionOptions(
    new Command("cat")
      .description("print a file of the server as it was, or as it is")
      .argument("<what>", "a URL, or a path on a mount or in the export")
      .argument("[path]", "the file, as a path of the fileset")
      .addOption(
        new Option("--at <place>", "behind this record, or at a @time").argParser(parsePlace),
      ),
  )
    .addOption(filesetOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Old contents are there for as long as the server keeps them; of one that is gone it says since when. With --json
the bytes come as base64.

Examples:
  izo cat /mnt/project/notes.txt --at 4120
  izo cat http://nas:8370/rootfset notes.txt --at @1d > notes.txt`,
    )
    .action(async (what, path, options) => {
      const { signal } = cli;
      await using subject = openSubject(what, path, options, cli);
      const { remote } = subject;
      const { kind, sha256 } = await remote.history.lookUp(subject.path, options.at, signal);
      if (kind !== "file") {
        throw new ProblemError("unknown-path", `Cannot print ${subject.path}: it is a ${kind}`);
      }
      const { bytes } = await remote.history.content(subject.path, options.at, signal);
      const output = outputOf(cli, options);
      const hash = createHash("sha256");
      const chunks: Uint8Array[] = [];
      for await (const chunk of bytes) {
        hash.update(chunk);
        if (output.isJson) chunks.push(chunk);
        else await writeBytes(chunk, cli.stdout);
      }
      if (hash.digest("hex") !== sha256) {
        throw new IzoError(
          "wrong-hash",
          `Cannot trust what was printed of ${subject.path}: its hash is not the one in the log`,
        );
      }
      const content = Buffer.concat(chunks);
      if (output.isJson) {
        const base64 = content.toString("base64");
        output.result({ path: subject.path, sha256, sizeBytes: content.length, base64 }, "");
      }
    });
}

/** Waits for a slow reader: a content may be larger than memory. */
async function writeBytes(bytes: Uint8Array, stream: OutputStream): Promise<void> {
  if (stream.write(bytes) !== false || stream.once === undefined) return;
  await new Promise<void>((resolve) => stream.once!("drain", resolve));
}

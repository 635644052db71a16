import { Command, Option } from "@commander-js/extra-typings";
import type { StandingConflict } from "@izo/core";

import { type Cli, outputOf } from "../cli.ts";
import { describeConflict } from "../conflicts/describe-conflict.ts";
import { locateConflict, type LocatedConflict } from "../conflicts/locate-conflict.ts";
import { askServer } from "../conflicts/read-sides.ts";
import { type Resolution, resolveConflict } from "../conflicts/resolve-conflict.ts";
import { runMerge } from "../conflicts/run-merge.ts";
import { findMountNote, mountPointOf } from "../mounts/mount-registry.ts";
import { findMount } from "../mounts/open-mount.ts";
import type { Output } from "../output/output.ts";
import { formatTable } from "../output/table.ts";
import { isUrl } from "../parse-address.ts";
import { UsageError } from "../usage-error.ts";
import { type ConnectionOptions, openRemote, withConnectionOptions } from "./connection-options.ts";
import { filesetOption } from "./fileset-option.ts";
import { jsonOption } from "./json-option.ts";

/** `izo conflicts`: what two people did at once, and the decision between them. */
export function conflictsCommand(cli: Cli) {
  return withConnectionOptions(
    new Command("conflicts")
      .description("list conflicts; show or resolve some")
      .argument(
        "<what>",
        "a mount point, http://HOST:PORT/FILESET, or the directory that this machine serves",
      )
      .addOption(filesetOption()),
  )
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Who comes second keeps both: the later content becomes a file beside the first, with a name like
note.conflict-20260102T030405Z-laptop.txt. It is listed for as long as it has such a name: remove it, or
give it another name, and the conflict is resolved. With --json one object per conflict.

Examples:
  izo conflicts /mnt/project
  izo conflicts show /mnt/project/note.txt
  izo conflicts resolve /mnt/project/note.txt --merge 'git merge-file %A %O %B'`,
    )
    .addCommand(showCommand(cli))
    .addCommand(resolveCommand(cli))
    .addCommand(refusedCommand(cli))
    .action(async (what, options) => {
      const output = outputOf(cli, options);
      const conflicts = await listConflicts(what, options, cli);
      if (output.isJson) {
        for (const conflict of conflicts) output.result(conflict, "");
      } else {
        output.say(conflicts.length === 0 ? "no conflicts" : formatConflicts(conflicts));
      }
    });
}

function showCommand(cli: Cli) {
  return new Command("show")
    .description("show conflicts: who, when, the contents, and what differs")
    .argument("<path...>", "on a mount: the copies, or the files that they conflict with")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
The ancestor is the content from which both started. The server keeps old contents for a time; while it
has this one, both sides are compared with it, later only with each other. With --json one object per
conflict.

Examples:
  izo conflicts show /mnt/project/note.txt
  izo conflicts show /mnt/project/*.conflict-*`,
    )
    .action(async (paths, _options, command) => {
      // Options of the same name are read by "conflicts" first.
      const output = outputOf(cli, command.optsWithGlobals());
      for (const [index, path] of paths.entries()) {
        if (index > 0) output.say("");
        // oxlint-disable-next-line no-await-in-loop -- in the order that was asked for
        await showConflict(path, output, cli.signal);
      }
    });
}

async function showConflict(path: string, output: Output, signal: AbortSignal): Promise<void> {
  const located = await locateConflict(path);
  const knowledge = await askServer(located, signal);
  const { record, ancestor } = knowledge;
  const found =
    ancestor.kind === "content"
      ? { kind: "content", sha256: ancestor.sha256, sizeBytes: ancestor.bytes.length }
      : ancestor;
  output.result(
    { ...located.conflict, record, ancestor: found },
    describeConflict(located.conflict, knowledge, located.mount.mountPoint),
  );
}

function refusedCommand(cli: Cli) {
  return new Command("refused")
    .description(
      "list the last changes made here that did not take effect, because others came first",
    )
    .argument("<mnt>", "where it is mounted")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
A second move of what somebody else has moved, attributes that somebody else has set, a removal of what
somebody else has edited: the first holds, and the tree here shows it. No content is refused. With --json
one object per change, the latest first.

Example:
  izo conflicts refused /mnt/project`,
    )
    .action(async (mnt, _options, command) => {
      const output = outputOf(cli, command.optsWithGlobals());
      const refusals = await findMount(mnt).control.refusals();
      if (output.isJson) {
        for (const refusal of refusals) output.result(refusal, "");
        return;
      }
      const columns = [
        { title: "record", align: "right" },
        { title: "why" },
        { title: "path now" },
      ] as const;
      const rows = refusals.map(({ recno, reason, path }) => [String(recno), reason ?? "", path]);
      output.say(rows.length === 0 ? "nothing was refused" : formatTable(columns, rows));
    });
}

function resolveCommand(cli: Cli) {
  return new Command("resolve")
    .description("resolve conflicts with ordinary file operations on a mount")
    .argument("<path...>", "the copies, or the files that they conflict with")
    .option("--ours", "keep what has the name, remove the copy")
    .option("--theirs", "give the file the content of the copy")
    .option("--both", "keep both: the copy gets a name of its own")
    .addOption(
      new Option(
        "--merge <command>",
        "merge: %O is the ancestor, %A ours (the result too), %B theirs, %P the path",
      ),
    )
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Ours is what keeps the name, theirs the later content, in the copy. What is not chosen stays in the
server's history for as long as it keeps old contents. Works offline, but for a merge: the ancestor
comes from the server; where it keeps it no more, %O is empty.

Examples:
  izo conflicts resolve /mnt/project/note.txt --theirs
  izo conflicts resolve /mnt/project/*.conflict-* --ours
  izo conflicts resolve /mnt/project/note.txt --merge 'git merge-file %A %O %B'
  izo conflicts resolve /mnt/project/note.txt --merge 'meld --output %A %A %O %B'`,
    )
    .action(async (paths, options, command) => {
      const output = outputOf(cli, command.optsWithGlobals());
      const how = chosenOf(options);
      for (const path of paths) {
        // oxlint-disable-next-line no-await-in-loop -- one decision after another
        const located = await locateConflict(path);
        const { conflict, mount } = located;
        // oxlint-disable-next-line no-await-in-loop
        const result = await resolveConflict(
          mount.mountPoint,
          conflict,
          how.kind === "merge" ? mergeWith(how.command, located, cli.signal) : how,
        );
        const text = `${conflict.copy.path}: ${how.kind}${result === null ? "" : `, now ${result}`}`;
        output.result({ copy: conflict.copy.path, how: how.kind, path: result }, text);
      }
    });
}

type Choice =
  | { readonly kind: "ours" | "theirs" | "both" }
  | { readonly kind: "merge"; readonly command: string };

function chosenOf(options: {
  readonly ours?: true | undefined;
  readonly theirs?: true | undefined;
  readonly both?: true | undefined;
  readonly merge?: string | undefined;
}): Choice {
  const { merge } = options;
  const choices: Choice[] = (["ours", "theirs", "both"] as const)
    .filter((kind) => options[kind] !== undefined)
    .map((kind) => ({ kind }));
  if (merge !== undefined) choices.push({ kind: "merge", command: merge });
  const [choice] = choices;
  if (choice === undefined || choices.length > 1) {
    throw new UsageError(
      "Cannot resolve: exactly one way has to be chosen",
      "give --ours, --theirs, --both or --merge COMMAND",
    );
  }
  if (choice.kind === "merge" && !choice.command.includes("%A")) {
    throw new UsageError(
      "Cannot merge: the command does not name %A, where it leaves the result",
      "for example: --merge 'git merge-file %A %O %B'",
    );
  }
  return choice;
}

function mergeWith(command: string, located: LocatedConflict, signal: AbortSignal): Resolution {
  return {
    kind: "merge",
    merge: async (sides) => {
      const { ancestor } = await askServer(located, signal);
      const bytes = ancestor.kind === "content" ? ancestor.bytes : Buffer.alloc(0);
      return runMerge(command, { ...sides, ancestor: bytes }, signal);
    },
  };
}

async function listConflicts(
  what: string,
  options: ConnectionOptions & { readonly fileset: string },
  cli: Cli,
): Promise<readonly StandingConflict[]> {
  if (!isUrl(what)) {
    if (findMountNote(mountPointOf(what)) !== undefined) return findMount(what).control.conflicts();
    const { connectServer } = await import("@izo/server");
    return connectServer(what, options.fileset).conflicts();
  }
  await using remote = openRemote(what, options, cli);
  return await remote.conflicts(cli.signal);
}

function formatConflicts(conflicts: readonly StandingConflict[]): string {
  const columns = [{ title: "copy" }, { title: "of" }, { title: "host" }, { title: "time" }];
  const rows = conflicts.map(({ copy, original, host, time }) => [
    copy.path,
    original?.path ?? "removed since",
    host,
    time,
  ]);
  return formatTable(columns, rows);
}

import { Command, Option } from "@commander-js/extra-typings";
import type { CacheInspection, CacheRepair } from "@izo/client/verify";
import type { ExportRepair, Inspection } from "@izo/server";

import { type Cli, outputOf } from "../cli.ts";
import type { Output } from "../output/output.ts";
import { formatBytes } from "../output/quantity.ts";
import { UsageError } from "../usage-error.ts";
import { DiffersError, showInspection } from "../verify/format-inspection.ts";
import { findVerifyTarget, type VerifyTarget } from "../verify/verify-target.ts";
import { jsonOption } from "./json-option.ts";

interface VerifyOptions {
  readonly fileset: string;
  readonly isQuick: boolean;
  readonly signal: AbortSignal;
  readonly output: Output;
}

/** `izo verify`: tree = index = replay = contents, or what differs and since when. */
export function verifyCommand(cli: Cli) {
  return new Command("verify")
    .description("check that log, index, tree and contents of an export or a mount agree")
    .argument("<what>", "an exported directory, a mount point, or a cache directory")
    .addOption(
      new Option("--fileset <name>", "of an export: its name in URLs")
        .env("IZO_FILESET")
        .default("rootfset"),
    )
    .option("--quick", "compare stats only, and hash no file")
    .option("--repair", "put right what can be, of what nobody serves or mounts; deletes nothing")
    .option("--dry-run", "with --repair: print what would be done, and do nothing")
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
Without --repair nothing is changed. Of an export every record of the log is checked and replayed; the
result is compared with the index and with the directory, and every file is hashed. Of a mount or a cache
the own log is checked, the tree is compared with the records and with the server's at the same record,
and every content that is here is hashed.

What differs is printed with the last record that touched it, and why: "damaged" is explained by nothing
that a program did, "unlogged" is a change that is logged at the next look, "refused" is what the disk did
not take, such as an owner without root. While an export is served, what differs is looked at again for
some seconds.

--repair makes a damaged index anew, restores a damaged content from where it is here too, has what cannot
be restored logged as an edit, and a damaged content of a cache fetched again. What is replaced is kept
below "rescue".

Exit status: 0 all agree, 1 something differs, 5 a log is damaged.

Examples:
  izo verify /srv/project
  izo verify /mnt/project --quick
  izo verify /srv/project --json | jq -r '.differences[].path'
  izo verify /srv/project --repair --dry-run`,
    )
    .action(async (what, options) => {
      const output = outputOf(cli, options);
      const target = await findVerifyTarget(what);
      const { signal } = cli;
      if (options.repair === true) {
        const isDryRun = options.dryRun === true;
        const repairs = await repair(target, { fileset: options.fileset, isDryRun, signal });
        showRepairs(repairs, isDryRun, output);
        return;
      }
      const isQuick = options.quick === true;
      const asked = { fileset: options.fileset, isQuick, signal, output };
      const inspection = await inspect(target, asked);
      showInspection(inspection, output);
      if (inspection.differences.length > 0) throw new DiffersError(what, inspection.differences);
    });
}

async function inspect(
  target: VerifyTarget,
  { fileset, isQuick, signal, output }: VerifyOptions,
): Promise<Inspection | CacheInspection> {
  using bar = output.progress("Verifying");
  const update = (done: number, unit: string, bytes: number): void =>
    bar.update({ done, total: undefined, unit, detail: formatBytes(bytes) });
  switch (target.kind) {
    case "export": {
      const { inspectExport } = await import("@izo/server");
      return await inspectExport({
        dir: target.dir,
        filesetName: fileset,
        isQuick,
        signal,
        onProgress: ({ of, done, bytes }) =>
          update(done, of === "log" ? "records" : "names", bytes),
      });
    }
    case "mount":
      return await target.control.verify({ isQuick }, signal);
    case "cache": {
      const { inspectCache, readCache } = await import("@izo/client/verify");
      using cache = readCache(target.cacheDir);
      const onProgress = (done: number, bytes: number): void => update(done, "names", bytes);
      return await inspectCache(cache, { isQuick, signal, onProgress });
    }
  }
}

async function repair(
  target: VerifyTarget,
  options: { readonly fileset: string; readonly isDryRun: boolean; readonly signal: AbortSignal },
): Promise<readonly (ExportRepair | CacheRepair)[]> {
  const { isDryRun, signal } = options;
  switch (target.kind) {
    case "export": {
      const { repairExport } = await import("@izo/server");
      const { dir } = target;
      return repairExport({ dir, filesetName: options.fileset, isDryRun, signal });
    }
    case "mount":
      throw new UsageError(
        "Cannot repair a cache while it is mounted",
        "izo umount it first, and mount it again afterwards",
      );
    case "cache": {
      const { repairCache } = await import("@izo/client/verify");
      return repairCache(target.cacheDir, { isDryRun, signal });
    }
  }
}

const DONE: Readonly<Record<(ExportRepair | CacheRepair)["action"], string>> = {
  reindex: "made anew from the log; the old one is kept",
  restore: "restored from where it is here too; what was there is below rescue",
  log: "nobody here has the right content: logged as an edit at the next start",
  "put-aside": "an old content that is none any more: put below rescue",
  refetch: "put below rescue, and fetched again when it is needed",
  recover: "compared with the records, and made or logged, at the next mount",
};

function showRepairs(
  repairs: readonly (ExportRepair | CacheRepair)[],
  isDryRun: boolean,
  output: Output,
): void {
  for (const { path, found, action } of output.isJson ? [] : repairs) {
    output.say(`${path}: ${found}\n  ${isDryRun ? "would be " : ""}${DONE[action]}`);
  }
  const count = repairs.length === 1 ? "1 repair" : `${repairs.length} repairs`;
  output.result({ repairs, isDryRun }, isDryRun ? `${count} to be made` : `${count} made`);
}

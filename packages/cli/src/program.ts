import { Command, type CommandUnknownOpts } from "@commander-js/extra-typings";

import type { Cli } from "./cli.ts";
import { blameCommand } from "./commands/blame.ts";
import { catCommand } from "./commands/cat.ts";
import { completionCommand } from "./commands/completion.ts";
import { conflictsCommand } from "./commands/conflicts.ts";
import { demoCommand } from "./commands/demo.ts";
import { diffCommand } from "./commands/diff.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { flushCommand } from "./commands/flush.ts";
import { heldCommand } from "./commands/held.ts";
import { hoardCommand } from "./commands/hoard.ts";
import { kmlCommand } from "./commands/kml.ts";
import { logCommand } from "./commands/log.ts";
import { lsCommand } from "./commands/ls.ts";
import { metricsCommand } from "./commands/metrics.ts";
import { mountCommand } from "./commands/mount.ts";
import { offlinePolicyCommand } from "./commands/offline-policy.ts";
import { offlineCommand } from "./commands/offline.ts";
import { onCommand } from "./commands/on.ts";
import { onlineCommand } from "./commands/online.ts";
import { peersCommand } from "./commands/peers.ts";
import { permitCommand } from "./commands/permit.ts";
import { pinCommand } from "./commands/pin.ts";
import { pinsCommand } from "./commands/pins.ts";
import { quotaCommand } from "./commands/quota.ts";
import { reindexCommand } from "./commands/reindex.ts";
import { restoreCommand } from "./commands/restore.ts";
import { salvageCommand } from "./commands/salvage.ts";
import { serveCommand } from "./commands/serve.ts";
import { showCommand } from "./commands/show.ts";
import { statusCommand } from "./commands/status.ts";
import { tokenCommand } from "./commands/token.ts";
import { topCommand } from "./commands/top.ts";
import { truncateCommand } from "./commands/truncate.ts";
import { umountCommand } from "./commands/umount.ts";
import { undoCommand } from "./commands/undo.ts";
import { unpinCommand } from "./commands/unpin.ts";
import { verifyCommand } from "./commands/verify.ts";
import { versionCommand } from "./commands/version.ts";
import { waitCommand } from "./commands/wait.ts";
import { applyConfig } from "./config/apply-config.ts";
import { loadConfig } from "./config/load-config.ts";
import { izoVersion } from "./version.ts";

const HELP = `
Every command takes --json. Settings come from the command line, else the environment (IZO_…), else
izo.config.json in the working directory or ~/.config/izo/config.json (--config FILE names another).

Exit status: 0 done, 1 failed, 2 not understood, 3 nobody answers, 4 in conflict or held by somebody,
5 damaged log, 6 time is over, 130 interrupted.

Examples:
  izo serve /srv/project                                  on the machine that has the files
  izo mount http://nas:8370/rootfset /mnt/project         on any other
  izo status /mnt/project
  izo demo                                                see it work, on this machine alone`;

/** The whole command line of `izo`. */
export function createProgram(cli: Cli): CommandUnknownOpts {
  const program = new Command("izo")
    .description("A distributed file system: a directory, served in place, mounted anywhere")
    .option("--config <file>", "use this configuration file (env: IZO_CONFIG)")
    .version(izoVersion(), "-V, --version", "print the version")
    .addHelpText("after", HELP)
    .helpCommand("help [command]", "show the help of a command")
    .addCommand(serveCommand(cli))
    .addCommand(mountCommand(cli))
    .addCommand(umountCommand(cli))
    .addCommand(statusCommand(cli))
    .addCommand(topCommand(cli))
    .addCommand(metricsCommand(cli))
    .addCommand(doctorCommand(cli))
    .addCommand(peersCommand(cli))
    .addCommand(tokenCommand(cli))
    .addCommand(truncateCommand(cli))
    .addCommand(flushCommand(cli))
    .addCommand(waitCommand(cli))
    .addCommand(offlineCommand(cli))
    .addCommand(onlineCommand(cli))
    .addCommand(offlinePolicyCommand(cli))
    .addCommand(pinCommand(cli))
    .addCommand(unpinCommand(cli))
    .addCommand(pinsCommand(cli))
    .addCommand(hoardCommand(cli))
    .addCommand(quotaCommand(cli))
    .addCommand(permitCommand(cli))
    .addCommand(conflictsCommand(cli))
    .addCommand(heldCommand(cli))
    .addCommand(logCommand(cli))
    .addCommand(showCommand(cli))
    .addCommand(blameCommand(cli))
    .addCommand(diffCommand(cli))
    .addCommand(lsCommand(cli))
    .addCommand(catCommand(cli))
    .addCommand(restoreCommand(cli))
    .addCommand(undoCommand(cli))
    .addCommand(onCommand(cli))
    .addCommand(kmlCommand(cli))
    .addCommand(verifyCommand(cli))
    .addCommand(salvageCommand(cli))
    .addCommand(reindexCommand(cli))
    .addCommand(demoCommand(cli))
    .addCommand(completionCommand(cli))
    .addCommand(versionCommand(cli));
  program.hook("preAction", (root, command) => {
    const named = root.opts().config ?? cli.env["IZO_CONFIG"];
    applyConfig(command, loadConfig({ named, cwd: cli.cwd, env: cli.env }));
  });
  prepare(program, cli);
  return program;
}

/** Commands made on their own do not inherit: each throws instead of exiting, and writes where we say. */
function prepare(command: CommandUnknownOpts, cli: Cli): void {
  command.exitOverride();
  command.configureOutput({
    writeOut: (text) => cli.stdout.write(text),
    writeErr: (text) => cli.stderr.write(text),
    // The error is thrown as well, and reported with all others.
    outputError() {},
  });
  for (const child of command.commands) prepare(child, cli);
}

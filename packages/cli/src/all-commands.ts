import type { CommandUnknownOpts } from "@commander-js/extra-typings";

import type { Cli } from "./cli.ts";

/**
 * Every command by its name, in the order in which the help shows them. Each is loaded by itself: most of the time that a
 * command takes goes into loading what only others need.
 */
export const ALL_COMMANDS: Readonly<Record<string, (cli: Cli) => Promise<CommandUnknownOpts>>> = {
  serve: async (cli) => (await import("./commands/serve.ts")).serveCommand(cli),
  mount: async (cli) => (await import("./commands/mount.ts")).mountCommand(cli),
  umount: async (cli) => (await import("./commands/umount.ts")).umountCommand(cli),
  status: async (cli) => (await import("./commands/status.ts")).statusCommand(cli),
  top: async (cli) => (await import("./commands/top.ts")).topCommand(cli),
  metrics: async (cli) => (await import("./commands/metrics.ts")).metricsCommand(cli),
  doctor: async (cli) => (await import("./commands/doctor.ts")).doctorCommand(cli),
  peers: async (cli) => (await import("./commands/peers.ts")).peersCommand(cli),
  token: async (cli) => (await import("./commands/token.ts")).tokenCommand(cli),
  truncate: async (cli) => (await import("./commands/truncate.ts")).truncateCommand(cli),
  flush: async (cli) => (await import("./commands/flush.ts")).flushCommand(cli),
  wait: async (cli) => (await import("./commands/wait.ts")).waitCommand(cli),
  offline: async (cli) => (await import("./commands/offline.ts")).offlineCommand(cli),
  online: async (cli) => (await import("./commands/online.ts")).onlineCommand(cli),
  "offline-policy": async (cli) =>
    (await import("./commands/offline-policy.ts")).offlinePolicyCommand(cli),
  pin: async (cli) => (await import("./commands/pin.ts")).pinCommand(cli),
  unpin: async (cli) => (await import("./commands/unpin.ts")).unpinCommand(cli),
  pins: async (cli) => (await import("./commands/pins.ts")).pinsCommand(cli),
  hoard: async (cli) => (await import("./commands/hoard.ts")).hoardCommand(cli),
  quota: async (cli) => (await import("./commands/quota.ts")).quotaCommand(cli),
  permit: async (cli) => (await import("./commands/permit.ts")).permitCommand(cli),
  conflicts: async (cli) => (await import("./commands/conflicts.ts")).conflictsCommand(cli),
  held: async (cli) => (await import("./commands/held.ts")).heldCommand(cli),
  log: async (cli) => (await import("./commands/log.ts")).logCommand(cli),
  show: async (cli) => (await import("./commands/show.ts")).showCommand(cli),
  blame: async (cli) => (await import("./commands/blame.ts")).blameCommand(cli),
  diff: async (cli) => (await import("./commands/diff.ts")).diffCommand(cli),
  ls: async (cli) => (await import("./commands/ls.ts")).lsCommand(cli),
  cat: async (cli) => (await import("./commands/cat.ts")).catCommand(cli),
  restore: async (cli) => (await import("./commands/restore.ts")).restoreCommand(cli),
  undo: async (cli) => (await import("./commands/undo.ts")).undoCommand(cli),
  on: async (cli) => (await import("./commands/on.ts")).onCommand(cli),
  kml: async (cli) => (await import("./commands/kml.ts")).kmlCommand(cli),
  verify: async (cli) => (await import("./commands/verify.ts")).verifyCommand(cli),
  salvage: async (cli) => (await import("./commands/salvage.ts")).salvageCommand(cli),
  reindex: async (cli) => (await import("./commands/reindex.ts")).reindexCommand(cli),
  demo: async (cli) => (await import("./commands/demo.ts")).demoCommand(cli),
  completion: async (cli) => (await import("./commands/completion.ts")).completionCommand(cli),
  version: async (cli) => (await import("./commands/version.ts")).versionCommand(cli),
};

import { Command } from "@commander-js/extra-typings";
import type { HeldRemoval } from "@izo/client";
import type { ServerControl } from "@izo/server";

import { type Cli, outputOf } from "../cli.ts";
import { findMountNote, mountPointOf } from "../mounts/mount-registry.ts";
import { findMount } from "../mounts/open-mount.ts";
import { formatCount } from "../output/quantity.ts";
import { filesetOption } from "./fileset-option.ts";
import { jsonOption } from "./json-option.ts";

/** `izo held`: removals of nearly everything, which a person has to confirm. */
export function heldCommand(cli: Cli) {
  return new Command("held")
    .description("show removals of nearly everything, which wait to be confirmed")
    .argument("<what>", "a mount point, or the directory that this machine serves")
    .addOption(filesetOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
A mount does not send removals that would leave less than a tenth of a fileset of 20 names or more. All
else goes on. What the mount made itself within the last hour does not count; izo serve --hold-removals sets
another share. A server does not take files for removed when more than half of all is missing at a scan: a
disk that is not mounted looks like that.

Examples:
  izo held /mnt/project
  izo held confirm /mnt/project     removes them for everybody
  izo held drop /mnt/project        brings them back here`,
    )
    .action(async (what, options) => {
      const held = await findHeld(what, options.fileset);
      outputOf(cli, options).result({ held }, describeHeld(held));
    })
    .addCommand(confirmCommand(cli))
    .addCommand(dropCommand(cli));
}

function confirmCommand(cli: Cli) {
  return new Command("confirm")
    .description("let the held removals take effect, for everybody")
    .argument("<what>", "a mount point, or the directory that this machine serves")
    .addOption(filesetOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
What is removed stays in the server's history for as long as it keeps old contents.

Example:
  izo held confirm /mnt/project && izo flush /mnt/project`,
    )
    .action(async (what, _options, command) => {
      const options = command.optsWithGlobals();
      const mount = findMountIfAny(what);
      let removed: number;
      if (mount === undefined) {
        const server = await connect(what, options.fileset);
        removed = (await server.status()).heldRemoval?.removed ?? 0;
        await server.confirmRemoval();
      } else ({ removed } = await mount.control.confirmRemoval());
      const text = `confirmed: the removal of ${formatCount(removed)} names`;
      outputOf(cli, options).result({ removed }, text);
    });
}

function dropCommand(cli: Cli) {
  return new Command("drop")
    .description("take the held removals back")
    .argument("<what>", "a mount point, or the directory that this machine serves")
    .addOption(filesetOption())
    .addOption(jsonOption())
    .addHelpText(
      "after",
      `
On a mount what was removed is there again, with the contents that the server has. On a server the
directory is scanned again: put the files back first, or mount their disk.

Example:
  izo held drop /mnt/project`,
    )
    .action(async (what, _options, command) => {
      const options = command.optsWithGlobals();
      const output = outputOf(cli, options);
      const mount = findMountIfAny(what);
      if (mount !== undefined) {
        const { removed } = await mount.control.dropRemoval();
        output.result({ restored: removed }, `dropped: ${formatCount(removed)} names are back`);
        return;
      }
      const server = await connect(what, options.fileset);
      const before = (await server.status()).heldRemoval?.removed ?? 0;
      await server.rescan();
      const left = (await server.status()).heldRemoval?.removed ?? 0;
      const text =
        left === 0
          ? `nothing is missing any more`
          : `${formatCount(left)} names are missing still: put the files back, then run this again`;
      output.result({ restored: before - left, missing: left }, text);
    });
}

/** What waits, of a mount or of a server's last scan. */
type Held =
  | (HeldRemoval & { readonly by: "mount" })
  | { readonly by: "scan"; readonly removed: number; readonly names: number };

async function findHeld(what: string, fileset: string): Promise<Held | null> {
  const mount = findMountIfAny(what);
  if (mount !== undefined) {
    const { heldRemoval } = await mount.control.status();
    return heldRemoval && { by: "mount", ...heldRemoval };
  }
  const { heldRemoval } = await (await connect(what, fileset)).status();
  if (heldRemoval === null) return null;
  const { removed, objects } = heldRemoval;
  return { by: "scan", removed, names: objects };
}

function findMountIfAny(what: string): ReturnType<typeof findMount> | undefined {
  return findMountNote(mountPointOf(what)) === undefined ? undefined : findMount(what);
}

async function connect(directory: string, fileset: string): Promise<ServerControl> {
  // Loaded here, because a mount does not need it.
  const { connectServer } = await import("@izo/server");
  return connectServer(directory, fileset);
}

function describeHeld(held: Held | null): string {
  if (held === null) return "nothing is held";
  const count = `${formatCount(held.removed)} of ${formatCount(held.names)} names`;
  if (held.by === "scan") return `held: ${count} are gone from the disk, and not taken for removed`;
  const { paths, sinceMs, removed } = held;
  const lines = [
    `held: the removal of ${count}, since ${new Date(sinceMs).toISOString()}`,
    ...paths.map((path) => `  ${path}`),
  ];
  if (paths.length < removed) lines.push(`  and ${formatCount(removed - paths.length)} more`);
  return lines.join("\n");
}

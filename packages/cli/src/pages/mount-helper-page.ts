import type { CommandPage } from "./command-page.ts";
import { type ManualPage, writeManualPage } from "./manual-page.ts";

const NOTES = `
What mount(8) runs for "mount -t izo" and for lines of /etc/fstab, where it looks for it in /sbin:

    ln -s "$(command -v mount.izo)" /sbin/mount.izo

Every option of izo-mount(1) can stand in -o, without its dashes; a comma in a value is written "\\,".
Those of fstab(5) and systemd.mount(5), such as _netdev, nofail and x-systemd.automount, keep their
meaning. A line of /etc/fstab:

    http://nas:8370/rootfset /mnt/project izo cache=/var/cache/project,mode=replica,_netdev,nofail 0 0`;

/** The manual page of `mount.izo`, in section 8 as those of all such helpers. */
export function writeMountHelperPage(root: CommandPage, version: string): ManualPage {
  const mount = root.commands.find(({ words }) => words.at(-1) === "mount");
  if (mount === undefined) throw new Error("Cannot describe mount.izo: there is no izo mount");
  const { text } = writeManualPage(
    {
      ...mount,
      words: ["mount.izo"],
      description: "Mount a fileset of izo, for mount(8)",
      notes: NOTES.trim(),
      examples: `mount -t izo http://nas:8370/rootfset /mnt/project -o cache=/var/cache/project
umount /mnt/project`,
      options: mount.options
        .filter(({ name }) => !["--json", "--foreground"].includes(name))
        .map((option) => ({ ...option, flags: option.flags.replace(/^--/, "").replace(" ", "=") })),
    },
    version,
  );
  return {
    file: "mount.izo.8",
    text: text
      .replace('"MOUNT.IZO" 1 ', '"MOUNT.IZO" 8 ')
      .replace(/\n\.SH EXIT STATUS\n.*?(?=\n\.SH)/s, EXIT_STATUS)
      .replace(".BR mount.izo (8)", ".BR izo\\-mount (1)"),
  };
}

const EXIT_STATUS = `
.SH EXIT STATUS
.TP
.B 0
mounted
.TP
.B 1
not understood
.TP
.B 32
failed`;

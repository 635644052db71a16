import { chmodSync, chownSync, existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";

import { type MountProcess, startMount } from "./mount-process.ts";
import type { NetworkHost } from "./network.ts";
import { type CommandOptions, type CommandResult, tryCommand } from "./run-command.ts";

/** nobody, on every Linux. */
const UID = 65_534;

const DEVICE = "/dev/fuse";

/** An ordinary user of this machine: without rights, groups and terminal. */
export interface PlainUser extends Disposable {
  readonly uid: number;
  readonly home: string;
  /** Has a command run as this user; for commands that are put on a host, innermost. */
  readonly as: (command: readonly string[]) => string[];
  /** Runs a shell script as this user. What looks at his mount has to: nobody else may, root included. */
  run(script: string, options?: CommandOptions): Promise<CommandResult>;
  /** {@link run} that must succeed; gives standard output. */
  must(script: string): Promise<string>;
  /** Makes a directory that is the user's. */
  mkdir(path: string): void;
  /** Mounts on a host, on `user/mnt` of the directory with the cache beside it; again with the same cache. */
  mount(host: NetworkHost, url: string, ...options: string[]): Promise<MountProcess>;
}

/**
 * A user with a home below `directory`, which others may enter from now on.
 *
 * For as long as there is one, everybody may open /dev/fuse, as udev has it; in containers it is often root's.
 */
export function plainUser(directory: string): PlainUser {
  chmodSync(directory, 0o711);
  const { mode } = statSync(DEVICE);
  chmodSync(DEVICE, 0o666);
  const home = join(directory, "home");
  const mkdir = (path: string): void => {
    mkdirSync(path, { recursive: true });
    chownSync(path, UID, UID);
  };
  mkdir(home);
  const env = ["env", "-u", "XDG_CACHE_HOME", `HOME=${home}`, `XDG_RUNTIME_DIR=${home}`];
  const setpriv = ["setpriv", `--reuid=${UID}`, `--regid=${UID}`, "--clear-groups", "--"];
  const as = (command: readonly string[]): string[] => [...setpriv, ...env, ...command];
  const run: PlainUser["run"] = (script, options) =>
    tryCommand(as(["bash", "-c", script]), { cwd: "/", ...options });
  return {
    uid: UID,
    home,
    as,
    run,
    async must(script) {
      const { status, stdout, stderr } = await run(script);
      if (status === 0) return stdout;
      throw new Error(`Cannot run ${script}: exit status ${status}\n${stdout}${stderr}`);
    },
    mkdir,
    mount: async (host, url, ...options) => {
      const places = { host, url, directory: join(directory, "user"), mode: "on-demand" } as const;
      mkdir(places.directory);
      // A mount that died answers nothing: it is cleared away by the next.
      if (!existsSync(join(places.directory, "cache"))) mkdir(join(places.directory, "mnt"));
      return await startMount({ ...places, as, options });
    },
    [Symbol.dispose]: () => chmodSync(DEVICE, mode & 0o7777),
  };
}

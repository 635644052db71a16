import { userInfo } from "node:os";
import { join } from "node:path";

/**
 * Where what V8 has compiled is kept for the next command: in the home of whoever runs this, as the system knows it. Node's
 * own choice is below the directory for temporary files, where another user may have made it first, and what is read
 * from it runs: as root, too. `HOME` is not asked, because a command by sudo(8) may have that of its caller.
 *
 * @returns undefined for nowhere, where the user is not known to the system
 */
export function compileCacheDirectory(env: NodeJS.ProcessEnv): string | undefined {
  // Node's own variable: whoever sets it has chosen.
  if (env["NODE_COMPILE_CACHE"] !== undefined) return env["NODE_COMPILE_CACHE"];
  try {
    return join(userInfo().homedir, ".cache/izo/compiled");
  } catch {
    return undefined;
  }
}

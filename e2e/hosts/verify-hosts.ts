import { tryIzo } from "./cli.ts";
import type { MountProcess } from "./mount-process.ts";
import type { World } from "./world.ts";

/** What `izo verify` finds on the export, while it is served, and on mounts in use; empty where all agree. */
export async function verifyHosts(
  world: World,
  mounts: readonly MountProcess[],
): Promise<string[]> {
  const found: string[] = [];
  for (const place of [world.exportDir, ...mounts.map(({ mountPoint }) => mountPoint)]) {
    // oxlint-disable-next-line no-await-in-loop -- one after another: each reads a whole tree
    const { status, stdout, stderr } = await tryIzo(["verify", place]);
    if (status !== 0) found.push(`${place}: exit status ${status}\n${stdout}${stderr}`);
  }
  return found;
}

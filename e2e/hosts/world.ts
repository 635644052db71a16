import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { type MountProcess, startMount } from "./mount-process.ts";
import { createNetwork, type NetworkHost, sweepNetworks } from "./network.ts";
import { requireHosts } from "./requirements.ts";
import { type ServerProcess, startServer } from "./server-process.ts";
import { mountSmallDisk } from "./small-disk.ts";
import { diffManifests, treeManifest } from "./tree-manifest.ts";
import { makeWorkDirectory, sweepWorkDirectories } from "./work-directory.ts";

/** An on-demand mount fetches every file of the tree meanwhile. */
const MANIFEST_MS = 240_000;

/** Name of a host that mounts. */
export type ClientName = "client1" | "client2";

/** One server and two clients, each on a host of its own; nothing is started yet. */
export interface World extends AsyncDisposable {
  readonly directory: string;
  /** The exported directory; a test fills it before it serves. */
  readonly exportDir: string;
  readonly server: NetworkHost;
  readonly client1: NetworkHost;
  readonly client2: NetworkHost;
  /** Starts `izo serve` of {@link exportDir}, with options; what is started ends with the world. */
  serve(...options: string[]): Promise<ServerProcess>;
  /** Mounts on a client, with options; again after its end, with the same cache. */
  mount(
    name: ClientName,
    mode: "on-demand" | "replica",
    ...options: string[]
  ): Promise<MountProcess>;
}

/**
 * Makes a world, and clears away what worlds of dead test runs left.
 *
 * @param diskMib everything of it lies on an ext4 of its own, which is that large and new
 */
export async function createWorld({ diskMib }: { diskMib?: number } = {}): Promise<World> {
  await requireHosts();
  await sweepNetworks();
  sweepWorkDirectories();
  await using made = new AsyncDisposableStack();
  const work = made.use(makeWorkDirectory());
  const network = made.use(await createNetwork(["server", "client1", "client2"]));
  const host = (name: string): NetworkHost => network.hosts.get(name)!;
  const base = join(work.path, diskMib === undefined ? "" : "disk");
  if (diskMib !== undefined) await mountSmallDisk(base, diskMib);
  const exportDir = join(base, "export");
  mkdirSync(exportDir);
  const server = host("server");
  const cleanUp = made.move();
  return {
    directory: base,
    exportDir,
    server,
    client1: host("client1"),
    client2: host("client2"),
    serve: async (...options) =>
      cleanUp.use(
        await startServer({
          host: server,
          directory: exportDir,
          logFile: join(base, "server.log"),
          options,
        }),
      ),
    mount: async (name, mode, ...options) => {
      const scheme = options.includes("--ca") ? "https" : "http";
      const url = `${scheme}://${server.address}:8370/rootfset`;
      const directory = join(base, name);
      mkdirSync(directory, { recursive: true });
      return cleanUp.use(await startMount({ host: host(name), url, directory, mode, options }));
    },
    [Symbol.asyncDispose]: () => cleanUp.disposeAsync(),
  };
}

/** Until the server has what the clients did and each client has all of it; gives the last recno. */
export async function settle(
  server: ServerProcess,
  ...mounts: readonly MountProcess[]
): Promise<number> {
  for (const mount of mounts) await mount.flush();
  const { headRecno } = await server.status();
  for (const mount of mounts) await mount.waitFor(headRecno);
  return headRecno;
}

/**
 * What differs between the export and the mounts, or between their directories `below`; empty when all
 * hosts have the same tree.
 */
export async function differences(
  world: World,
  mounts: readonly MountProcess[],
  below = "",
): Promise<string[]> {
  const expected = await treeManifest(join(world.exportDir, below));
  const compared = mounts.map(async ({ mountPoint }) => {
    const found = await treeManifest(join(mountPoint, below), { timeoutMs: MANIFEST_MS });
    return diffManifests(expected, found).map((line) => `${mountPoint}: ${line}`);
  });
  return (await Promise.all(compared)).flat();
}

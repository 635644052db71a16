/**
 * Hosts as network namespaces, joined by a bridge that stands in a namespace of its own: nothing appears
 * in the machine's own network, and equal addresses in two test runs do not meet.
 */
import { isRunning } from "@izo/sys";

import { runCommand, tryCommand } from "./run-command.ts";

/** Names of namespaces: this, the id of the process that made them, a number, the host. */
const PREFIX = "izo-e2e";

let madeNetworks = 0;

/** A namespace that is a host of the network. */
export interface NetworkHost {
  readonly name: string;
  readonly address: string;
  /** Puts a command into this host. Mounts and files stay those of the machine. */
  readonly inside: (command: readonly string[]) => string[];
  /** Drops every packet from and to this host, as a pulled cable does: nobody is told. */
  cut(): Promise<void>;
  heal(): Promise<void>;
}

export interface Network extends AsyncDisposable {
  readonly hosts: ReadonlyMap<string, NetworkHost>;
}

/** Makes one namespace per name, with the addresses 10.83.0.1, 10.83.0.2 and so on. */
export async function createNetwork(names: readonly string[]): Promise<Network> {
  madeNetworks += 1;
  const prefix = `${PREFIX}-${process.pid}-${madeNetworks}`;
  await using made = new AsyncDisposableStack();
  const bridge = `${prefix}-switch`;
  await addNamespace(bridge, made);
  await runCommand(["ip", "-n", bridge, "link", "add", "switch", "type", "bridge"]);
  await runCommand(["ip", "-n", bridge, "link", "set", "switch", "up"]);
  const hosts = new Map<string, NetworkHost>();
  for (const [index, name] of names.entries()) {
    const namespace = `${prefix}-${name}`;
    const address = `10.83.0.${index + 1}`;
    await addNamespace(namespace, made);
    await plugIn(namespace, bridge, `port${index}`, address);
    hosts.set(name, networkHost(name, namespace, address));
  }
  const cleanUp = made.move();
  return { hosts, [Symbol.asyncDispose]: () => cleanUp.disposeAsync() };
}

async function addNamespace(name: string, made: AsyncDisposableStack): Promise<void> {
  await runCommand(["ip", "netns", "add", name]);
  made.defer(() => removeNamespace(name));
  await runCommand(["ip", "-n", name, "link", "set", "lo", "up"]);
}

async function plugIn(host: string, bridge: string, port: string, address: string): Promise<void> {
  const ends = ["eth0", "netns", host, "type", "veth", "peer", "name", port, "netns", bridge];
  await runCommand(["ip", "link", "add", ...ends]);
  await runCommand(["ip", "-n", bridge, "link", "set", port, "master", "switch", "up"]);
  await runCommand(["ip", "-n", host, "address", "add", `${address}/24`, "dev", "eth0"]);
  await runCommand(["ip", "-n", host, "link", "set", "eth0", "up"]);
}

const CUT_RULES = `
table inet izo_cut {
  chain in { type filter hook input priority 0; policy drop; iif lo accept; }
  chain out { type filter hook output priority 0; policy drop; oif lo accept; }
}`;

function networkHost(name: string, namespace: string, address: string): NetworkHost {
  const inside = (command: readonly string[]): string[] => [
    "nsenter",
    `--net=/run/netns/${namespace}`,
    "--",
    ...command,
  ];
  return {
    name,
    address,
    inside,
    async cut() {
      await runCommand(inside(["nft", "-f", "-"]), { input: CUT_RULES });
    },
    async heal() {
      await runCommand(inside(["nft", "delete", "table", "inet", "izo_cut"]));
    },
  };
}

async function removeNamespace(name: string): Promise<void> {
  await tryCommand(["ip", "netns", "delete", name]);
}

/** Removes the namespaces of test runs that died, with the processes that were left in them. */
export async function sweepNetworks(): Promise<void> {
  const { stdout } = await tryCommand(["ip", "netns", "list"]);
  for (const line of stdout.split("\n")) {
    const match = new RegExp(`^(${PREFIX}-([0-9]+)-\\S+)`).exec(line);
    const name = match?.[1];
    if (name === undefined || isRunning(Number(match?.[2]))) continue;
    const { stdout: pids } = await tryCommand(["ip", "netns", "pids", name]);
    for (const pid of pids.split("\n").filter((text) => text !== "")) endProcess(Number(pid));
    await removeNamespace(name);
  }
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself meanwhile.
  }
}

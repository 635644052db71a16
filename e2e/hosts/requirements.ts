import { existsSync } from "node:fs";

import { tryCommand } from "./run-command.ts";

const COMMANDS = ["fusermount3", "ip", "nft", "nsenter"];

/** Fails with one message that names everything that hosts in namespaces need and this machine lacks. */
export async function requireHosts(): Promise<void> {
  const missing: string[] = [];
  if (process.getuid?.() !== 0) missing.push("root (network namespaces and mounts)");
  if (!existsSync("/dev/fuse")) missing.push("/dev/fuse");
  for (const command of COMMANDS) {
    const { status } = await tryCommand(["which", command]);
    if (status !== 0) missing.push(`the command ${command}`);
  }
  if (missing.length > 0) {
    throw new Error(
      `Cannot run the end-to-end tests without ${missing.join(", ")}. Debian: apt-get install -y fuse3 iproute2 nftables util-linux`,
    );
  }
}

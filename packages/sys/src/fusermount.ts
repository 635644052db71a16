/**
 * Mounting and unmounting FUSE through `fusermount3`, the setuid helper of the Debian package fuse3, for who may not call
 * mount(2). It mounts for its caller what its caller may write to, always with nosuid and nodev, and hands back the open
 * /dev/fuse over a socket whose number is in `_FUSE_COMMFD`.
 */
import { execFile, spawnSync } from "node:child_process";
import { promisify } from "node:util";

import { DescriptorChannel } from "./descriptor-channel.ts";

const HELPER = "fusermount3";

/** The number that the channel has in the helper: the first after the standard ones. */
const CHANNEL_FD = 3;

/** It takes milliseconds. One that hangs must not hang its caller. */
const TIMEOUT_MS = 10_000;

/** The helper is missing, or it refuses: the message is what it said. */
export class FusermountError extends Error {
  readonly code: "fusermount3-missing" | "fusermount3-refused";

  constructor(code: FusermountError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "FusermountError";
    this.code = code;
  }
}

/**
 * Mounts at a directory that the caller may write to.
 *
 * @param options of mount(8), such as `fsname=izo`.
 * @returns the open /dev/fuse of the mount, close-on-exec, the caller's to close.
 * @throws {FusermountError}
 */
export function mountWithHelper(mountPoint: string, options: readonly string[]): number {
  using channel = new DescriptorChannel();
  const args = ["-o", options.join(","), "--", mountPoint];
  const { error, status, stderr } = spawnSync(HELPER, args, {
    env: { ...process.env, _FUSE_COMMFD: String(CHANNEL_FD) },
    stdio: ["ignore", "ignore", "pipe", channel.there],
    timeout: TIMEOUT_MS,
  });
  if (error !== undefined) throw failureOf(error);
  if (status !== 0) throw refusal(stderr);
  return channel.receive();
}

/**
 * Detaches a mount of the caller at once; who has files open there keeps them. In the process that serves the mount:
 * the helper may ask the mount something, which must be answered meanwhile.
 *
 * @throws {FusermountError}
 */
export async function detachWithHelper(mountPoint: string): Promise<void> {
  try {
    await promisify(execFile)(HELPER, detachArguments(mountPoint), { timeout: TIMEOUT_MS });
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    if ("code" in cause && cause.code === "ENOENT") throw failureOf(cause);
    throw refusal("stderr" in cause ? cause.stderr : "");
  }
}

/** {@link detachWithHelper} for a mount that another process has served, and serves no more. Waits for the helper. */
export function detachDeadWithHelper(mountPoint: string): void {
  const { error, status, stderr } = spawnSync(HELPER, detachArguments(mountPoint), {
    stdio: ["ignore", "ignore", "pipe"],
    timeout: TIMEOUT_MS,
  });
  if (error !== undefined) throw failureOf(error);
  if (status !== 0) throw refusal(stderr);
}

function detachArguments(mountPoint: string): string[] {
  return ["-u", "-z", "--", mountPoint];
}

function refusal(stderr: unknown): FusermountError {
  const said = String(stderr).trim();
  return new FusermountError("fusermount3-refused", said || `${HELPER} failed without a word`);
}

function failureOf(cause: Error): FusermountError {
  if ("code" in cause && cause.code === "ENOENT") {
    const found = `this process may not mount by itself, and ${HELPER} is not installed`;
    return new FusermountError("fusermount3-missing", found, { cause });
  }
  return new FusermountError("fusermount3-refused", `${HELPER}: ${cause.message}`, { cause });
}

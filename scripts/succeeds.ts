import { spawnSync } from "node:child_process";

/** True when the command succeeded; what it printed is shown only when it did not. */
export function succeeds(command: string, args: readonly string[], cwd = "."): boolean {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: "utf8" });
  if (error) throw error;
  if (status !== 0) console.error(`${stdout}${stderr}`);
  return status === 0;
}

import { callControl } from "@izo/sys";

import type { MountProcess } from "./mount-process.ts";

/**
 * Asks a mount on its control socket, as `izo status`, `flush`, `wait` do, without a process for each
 * question: that is most of what a scenario costs.
 *
 * @throws what the mount answers, and the signal's reason
 */
export async function askMount(
  { cacheDir }: MountProcess,
  method: "GET" | "POST",
  path: string,
  signal: AbortSignal = AbortSignal.timeout(60_000),
): Promise<unknown> {
  const answer = await callControl(cacheDir, { method, path, signal });
  if (!answer.isDone) throw new Error(`${answer.code}: ${answer.message}`);
  return answer.value;
}

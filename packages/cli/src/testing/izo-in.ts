import { run } from "../run.ts";

/** Runs a command line in this process, in a working directory that is its home too. */
export async function izoIn(
  directory: string,
  args: readonly string[],
): Promise<{ status: number; stdout: string; stderr: string }> {
  let stdout = "";
  let stderr = "";
  const status = await run(args, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    env: { HOME: directory },
    cwd: directory,
    signal: new AbortController().signal,
  });
  return { status, stdout, stderr };
}

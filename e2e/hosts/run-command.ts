import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";

export interface CommandResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** After this time it is killed and the test fails: a mount that hangs must not hang the suite. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 60_000;

/** Runs a command to its end and gives what it printed, whatever its exit status. */
export async function tryCommand(
  command: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const [file = "", ...args] = command;
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const child = spawn(file, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: "pipe",
  });
  const ended = Promise.withResolvers<number | null>();
  child.once("error", ended.reject).once("exit", ended.resolve);
  const timer = setTimeout(() => {
    child.kill("SIGKILL");
    // Who sleeps in a request to a dead mount cannot be killed: do not wait for its end.
    child.stdout.destroy();
    child.stderr.destroy();
    ended.reject(
      new Error(`Cannot wait longer for ${command.join(" ")}: ${timeoutMs / 1000} s are over`),
    );
  }, timeoutMs);
  try {
    child.stdin.end(options.input);
    // A background process may inherit the pipes and keep them open: the command's own end counts.
    const output = Promise.allSettled([text(child.stdout), text(child.stderr)]);
    const status = await ended.promise;
    const [stdout, stderr] = await output;
    return {
      status,
      stdout: stdout.status === "fulfilled" ? stdout.value : "",
      stderr: stderr.status === "fulfilled" ? stderr.value : "",
    };
  } finally {
    clearTimeout(timer);
  }
}

/** {@link tryCommand} that must succeed; gives standard output. */
export async function runCommand(
  command: readonly string[],
  options: CommandOptions = {},
): Promise<string> {
  const { status, stdout, stderr } = await tryCommand(command, options);
  if (status !== 0) {
    throw new Error(`Cannot run ${command.join(" ")}: exit status ${status}\n${stdout}${stderr}`);
  }
  return stdout;
}

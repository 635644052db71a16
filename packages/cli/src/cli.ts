import { createOutput, type Output, type OutputStream } from "./output/output.ts";

/** The process as the commands see it. */
export interface Cli {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Aborts at Ctrl-C and SIGTERM: whatever waits ends, and the command cleans up. */
  readonly signal: AbortSignal;
}

/** The output of one command, by its options. */
export function outputOf(cli: Cli, options: { readonly json?: true | undefined }): Output {
  return createOutput({ isJson: options.json === true }, cli);
}

#!/usr/bin/env node
/**
 * `mount.izo`: what mount(8) runs for `mount -t izo` and for lines of /etc/fstab, once it is found in
 * /sbin. It says the same as `izo mount` and ends with mount's own exit statuses.
 */
import { enableCompileCache } from "node:module";

import { compileCacheDirectory } from "./compile-cache.ts";

const compiled = compileCacheDirectory(process.env);
if (compiled !== undefined) enableCompileCache(compiled);
const { describeCommand } = await import("./pages/command-page.ts");
const { parseHelperCall } = await import("./mounts/helper-options.ts");
const { reportError } = await import("./output/report-error.ts");
const { createProgramFor } = await import("./program.ts");
const { run } = await import("./run.ts");

/** Of mount(8): a wrong call, and a mount that failed. */
const EXIT_USAGE = 1;
const EXIT_FAILED = 32;

const interruption = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => interruption.abort(new Error(`Cannot go on: ${signal}`)));
}

/** What `izo mount` says to people when it is done would stand among the messages of the boot. */
const quiet = { write: () => true };
const cli = {
  stdout: quiet,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  signal: interruption.signal,
};

process.exitCode = await mount(process.argv.slice(2));

async function mount(argv: readonly string[]): Promise<number> {
  if (argv.includes("--help")) {
    process.stdout.write(
      "mount -t izo http://HOST:PORT/FILESET MNT [-o OPTIONS]: see man mount.izo\n",
    );
    return 0;
  }
  const pages = describeCommand(await createProgramFor(["mount"], cli)).commands;
  const known = pages.find(({ words }) => words.at(-1) === "mount")?.options ?? [];
  try {
    const { url, mountPoint, options, isFake } = parseHelperCall(argv, known);
    if (isFake) return 0;
    const status = await run(["mount", url, mountPoint, ...options], cli);
    return status === 0 ? 0 : EXIT_FAILED;
  } catch (error) {
    reportError(error, false, process.stderr);
    return EXIT_USAGE;
  }
}

#!/usr/bin/env node
import { enableCompileCache } from "node:module";

import { wordsAsGiven } from "./command-line.ts";
import { compileCacheDirectory } from "./compile-cache.ts";
import { EXIT } from "./output/exit-code.ts";

// Most commands end before V8 has compiled what they load; what the last one compiled is used again.
const compiled = compileCacheDirectory(process.env);
if (compiled !== undefined) enableCompileCache(compiled);
const { run } = await import("./run.ts");

const interruption = new AbortController();

// The first signal asks the command to end and clean up; the second ends the process at once.
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => interruption.abort(new Error(`Cannot go on: ${signal}`)));
}

// Whoever read our output has left, as in `izo log … | head`: that is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  process.exit(error.code === "EPIPE" ? EXIT.ok : EXIT.failed);
});

process.exitCode = await run(await wordsAsGiven(process.argv.slice(2)), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  signal: interruption.signal,
});

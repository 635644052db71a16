/**
 * Runs every check of the repository, one after the other, and goes on after a failure so that one run
 * shows all of them: `pnpm check`. Each check is a script of package.json and can be run alone.
 *
 * Many tests run real processes against real time on whatever machine this is. A file that fails is run
 * once more, alone: what fails again is broken; what passes then is named as unstable, to be mended as an
 * error of its own, and does not stop a change that has nothing to do with it.
 *
 * The last line counts what passed, `N passed, 0 failed`: every check is one, every test is one.
 *
 * On two cores the checks take about 25 s, of which 18 s go into installing every tarball; the tests
 * come on top. The table at the end says how long each took.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";

import { failedFiles, failedTests, readTestReport, type TestReport } from "./test-report.ts";

/** In the order of running: quick ones first; `packages` needs what `build` made. */
const CHECKS = ["format", "lint", "types", "unused", "layers", "spec", "build", "packages"];

/** The vitest projects; the last two own mounts and namespaces, so they never run side by side. */
const TEST_PROJECTS = ["unit", "fuse", "e2e"];

/** Up to so many files are looked at again; where more fail it is not chance. */
const MAX_SECOND_LOOKS = 3;

interface Result {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** Tests that failed and then passed alone, or files of which that is true. */
  readonly unstable: readonly string[];
  readonly seconds: number;
}

function run(command: string, args: readonly string[]): boolean {
  const { status, error } = spawnSync(command, args, { stdio: "inherit" });
  if (error) throw error;
  return status === 0;
}

function runCheck(name: string): Omit<Result, "seconds"> {
  const ok = run("pnpm", ["--silent", "run", name]);
  return { name, passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0, unstable: [] };
}

function runTests(project: string, reportDirectory: string): Omit<Result, "seconds"> {
  const first = runVitest(project, [], join(reportDirectory, `${project}.json`));
  const skipped = (first.report?.numPendingTests ?? 0) + (first.report?.numTodoTests ?? 0);
  const counts = { name: `test:${project}`, passed: first.report?.numPassedTests ?? 0, skipped };
  if (first.ok) return { ...counts, failed: 0, unstable: [] };
  const failed = first.report === undefined ? [] : failedTests(first.report);
  const files = first.report === undefined ? [] : failedFiles(first.report);
  // vitest also fails without a failed test: a file that does not load, an unhandled rejection.
  const broken = { ...counts, failed: Math.max(1, failed.length), unstable: [] };
  if (files.length === 0 || files.length > MAX_SECOND_LOOKS) return broken;
  console.log(`\n── test:${project}, a second look at ${files.length} files`);
  const second = runVitest(project, files, join(reportDirectory, `${project}-again.json`));
  if (!second.ok) return broken;
  return {
    ...counts,
    passed: counts.passed + failed.length,
    failed: 0,
    unstable: failed.length > 0 ? failed : files,
  };
}

/** Runs a project's tests, or those of some of its files. */
function runVitest(
  project: string,
  files: readonly string[],
  reportFile: string,
): { readonly ok: boolean; readonly report: TestReport | undefined } {
  const ok = run("vitest", [
    "run",
    `--project=${project}`,
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${reportFile}`,
    ...files,
  ]);
  return { ok, report: readTestReport(reportFile) };
}

function timed(name: string, step: () => Omit<Result, "seconds">): Result {
  console.log(`\n── ${name}`);
  const startMs = performance.now();
  const result = step();
  return { ...result, seconds: (performance.now() - startMs) / 1000 };
}

const reportDirectory = mkdtempSync(join(tmpdir(), "izo-check-"));
const results: Result[] = [];
try {
  for (const name of CHECKS) results.push(timed(name, () => runCheck(name)));
  for (const project of TEST_PROJECTS) {
    results.push(timed(`test:${project}`, () => runTests(project, reportDirectory)));
  }
} finally {
  rmSync(reportDirectory, { recursive: true });
}

console.log();
for (const { name, passed, failed, skipped, seconds } of results) {
  const verdict = failed > 0 ? "FAILED" : "ok";
  const counts = name.startsWith("test:")
    ? `${passed} passed, ${failed} failed, ${skipped} skipped`
    : "";
  console.log(
    `${name.padEnd(12)}${verdict.padEnd(8)}${seconds.toFixed(1).padStart(6)} s  ${counts}`,
  );
}
for (const name of results.flatMap(({ unstable }) => unstable)) {
  console.log(`unstable: failed once, passed alone: ${name}`);
}
const passed = results.reduce((sum, result) => sum + result.passed, 0);
const failed = results.reduce((sum, result) => sum + result.failed, 0);
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

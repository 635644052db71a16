/**
 * Runs every check of the repository, one after the other, and goes on after a failure so that one run
 * shows all of them: `pnpm check`. Each check is a script of package.json and can be run alone.
 *
 * The last line counts what passed, `N passed, 0 failed`: every check is one, every test is one.
 *
 * On two cores the checks take about 25 s, of which 18 s go into installing every tarball; the tests
 * come on top. The table at the end says how long each took.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";

/** In the order of running: quick ones first; `packages` needs what `build` made. */
const CHECKS = ["format", "lint", "types", "unused", "layers", "spec", "build", "packages"];

/** The vitest projects; the last two own mounts and namespaces, so they never run side by side. */
const TEST_PROJECTS = ["unit", "fuse", "e2e"];

interface Result {
  readonly name: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
}

/** The part of vitest's JSON report that is counted. */
interface TestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
}

function run(command: string, args: readonly string[]): boolean {
  const { status, error } = spawnSync(command, args, { stdio: "inherit" });
  if (error) throw error;
  return status === 0;
}

function runCheck(name: string): Omit<Result, "seconds"> {
  const ok = run("pnpm", ["--silent", "run", name]);
  return { name, passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 };
}

function runTests(project: string, reportDirectory: string): Omit<Result, "seconds"> {
  const reportFile = join(reportDirectory, `${project}.json`);
  const ok = run("vitest", [
    "run",
    `--project=${project}`,
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${reportFile}`,
  ]);
  const report = readReport(reportFile);
  const failed = report?.numFailedTests ?? 0;
  return {
    name: `test:${project}`,
    passed: report?.numPassedTests ?? 0,
    // vitest also fails without a failed test: a file that does not load, an unhandled rejection.
    failed: ok || failed > 0 ? failed : 1,
    skipped: (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0),
  };
}

function readReport(file: string): TestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as TestReport;
  } catch {
    // There is none when vitest died before its end; the exit status then counts.
    return undefined;
  }
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
const passed = results.reduce((sum, result) => sum + result.passed, 0);
const failed = results.reduce((sum, result) => sum + result.failed, 0);
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

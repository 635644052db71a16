/** What vitest's JSON report says of a run, as far as `pnpm check` counts it. */
import { readFileSync } from "node:fs";

export interface TestReport {
  readonly numPassedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly TestFile[];
}

interface TestFile {
  /** The path of the file. */
  readonly name: string;
  readonly status: string;
  readonly assertionResults: readonly TestCase[];
}

interface TestCase {
  readonly fullName: string;
  readonly status: string;
}

/** The report in `file`, or undefined where vitest died before it wrote one. */
export function readTestReport(file: string): TestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as TestReport;
  } catch {
    return undefined;
  }
}

/** The files in which something failed, be it that one did not load. */
export function failedFiles({ testResults }: TestReport): string[] {
  return testResults.filter(({ status }) => status === "failed").map(({ name }) => name);
}

/** The names of the tests that failed. */
export function failedTests({ testResults }: TestReport): string[] {
  return testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => status === "failed").map(({ fullName }) => fullName),
  );
}

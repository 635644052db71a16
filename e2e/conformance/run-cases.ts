/**
 * The conformance suite: runs cases in a directory, and says what every call answered and how the tree
 * looked after it. What a plain directory says is right; a mount must say the same.
 */
import { join } from "node:path";

import { CallerProcess } from "./caller-process.ts";
import type { ConformanceCase, Step } from "./conformance-case.ts";

/** What happened at a step: the call, its answer, and the whole state after it. */
export interface StepRecord {
  readonly step: Step;
  readonly answer: string;
  readonly state: string;
}

/** Calls after which nobody needs to look. */
const CHANGES_NOTHING =
  /^(as|umask|chdir|stat|lstat|fstat|access|populate|opendir|readdir|readdir-count|remove-listed|compare-listing|seek-listing) /;

/** Runs cases one after the other, each in a new directory below `directory`; what happened, by name. */
export async function runCases(
  command: readonly string[],
  directory: string,
  cases: readonly ConformanceCase[],
): Promise<Map<string, StepRecord[]>> {
  const records = new Map<string, StepRecord[]>();
  using observer = new CallerProcess(command);
  for (const [index, { name, steps }] of cases.entries()) {
    const place = join(directory, `case-${index}`);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    records.set(name, await runCase(command, observer, place, steps));
  }
  return records;
}

async function runCase(
  command: readonly string[],
  observer: CallerProcess,
  directory: string,
  steps: readonly Step[],
): Promise<StepRecord[]> {
  await succeed(observer, `mkdir ${directory} 0755`);
  await succeed(observer, `chdir ${directory}`);
  await succeed(observer, "forget");
  const records: StepRecord[] = [];
  using callers = new DisposableStack();
  const byNumber = new Map<number, CallerProcess>();
  for (const step of steps) {
    let caller = byNumber.get(step.process);
    if (caller === undefined) {
      caller = callers.use(new CallerProcess(command));
      byNumber.set(step.process, caller);
      // oxlint-disable-next-line no-await-in-loop -- one step after the other
      await succeed(caller, `chdir ${directory}`);
    }
    // oxlint-disable-next-line no-await-in-loop -- one step after the other
    const answer = await caller.call(step.call);
    // oxlint-disable-next-line no-await-in-loop -- one step after the other
    const state = CHANGES_NOTHING.test(step.call) ? "" : await observer.call("tree changed");
    records.push({ step, answer, state });
  }
  const last = { process: 0, call: "the end", expected: undefined };
  records.push({ step: last, answer: "", state: await observer.call("tree all") });
  return records;
}

async function succeed(caller: CallerProcess, line: string): Promise<void> {
  const answer = await caller.call(line);
  if (answer !== "0") throw new Error(`Cannot prepare a case: ${line} gives ${answer}`);
}

/** Answers of a plain directory that are not what a case states, one line each. */
export function unexpectedAnswers(records: ReadonlyMap<string, readonly StepRecord[]>): string[] {
  const lines: string[] = [];
  for (const [name, steps] of records) {
    for (const { step, answer } of steps) {
      if (step.expected === undefined || step.expected === answer) continue;
      lines.push(`${name}: ${shorten(step.call)} gives ${answer}, expected ${step.expected}`);
    }
  }
  return lines;
}

/** The first difference between two runs of a case, for people; undefined where there is none. */
export function firstDifference(
  expected: readonly StepRecord[],
  found: readonly StepRecord[],
): string | undefined {
  for (const [index, { step, answer, state }] of expected.entries()) {
    const other = found[index];
    if (other?.answer === answer && other.state === state) continue;
    const call = `step ${index + 1}, ${step.process}: ${shorten(step.call)}`;
    if (other?.answer !== answer) return `${call}\n    gives ${other?.answer}, expected ${answer}`;
    return `${call}\n    ${differingParts(state, other.state)}`;
  }
  return undefined;
}

function differingParts(expected: string, found: string): string {
  const before = new Set(expected.split(" | "));
  const after = new Set(found.split(" | "));
  const missing = [...before].filter((part) => !after.has(part)).map((part) => `expected ${part}`);
  const surplus = [...after].filter((part) => !before.has(part)).map((part) => `found    ${part}`);
  return [...missing, ...surplus].map(shorten).join("\n    ");
}

function shorten(text: string): string {
  return text.length > 300 ? `${text.slice(0, 140)}…${text.slice(-140)}` : text;
}

/**
 * `pnpm sim`: runs histories on all cores, says how fast, and tells the shortest story of the first that
 * breaks a promise. Exit status: 0 kept, 1 broken, 2 not understood.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";

import { isMutation, MUTATIONS } from "./mutation.ts";
import { DEFAULT_SIZE, explain, type Finding, type SimulationSize } from "./simulate.ts";
import { Tally } from "./tally.ts";
import { runOnWorkers } from "./worker-pool.ts";

const HELP = `Usage: pnpm sim [options]

Runs random histories of a server and its clients, with a network, disks, machines and clocks that fail,
and checks promises 2 to 5 after each. See docs/simulation.md.

  --histories N   how many (default 500; nightly 20000)
  --first N       seed of the first (default 1)
  --seed N        only the history of this seed; where it breaks a promise, its shortest story
  --clients N     clients in each (default ${DEFAULT_SIZE.clients})
  --steps N       operations of programs in each (default ${DEFAULT_SIZE.operations})
  --mutation M    break a rule on purpose: ${MUTATIONS.map((name) => `\n                    "${name}"`).join("")}
  --workers N     processes' worth of work at a time (default: one for each core)
  --json          one object with the result on standard output, no progress

Examples:
  pnpm sim --histories 20000
  pnpm sim --seed 4711
  pnpm sim --mutation "rebase skipped" --histories 200
`;

interface Options {
  readonly first: number;
  readonly histories: number;
  readonly workers: number;
  readonly size: SimulationSize;
  readonly isJson: boolean;
}

/** What a run has found, as `--json` prints it. */
interface Report {
  readonly histories: number;
  readonly seconds: number;
  readonly historiesPerSecond: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly failedSeeds: readonly number[];
  readonly finding: Finding | null;
}

class UsageError extends Error {}

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = parse(args);
    if (options === null) {
      process.stdout.write(HELP);
      return 0;
    }
    const report = await run(options);
    process.stdout.write(options.isJson ? `${JSON.stringify(report)}\n` : describe(report));
    return report.failedSeeds.length > 0 ? 1 : 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`${error.message}\nSee pnpm sim --help\n`);
    return 2;
  }
}

function parse(args: readonly string[]): Options | null {
  const { values } = readArguments(args);
  if (values.help === true) return null;
  const count = (
    name: "histories" | "first" | "seed" | "clients" | "steps" | "workers",
  ): number | undefined => {
    const text = values[name];
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < 1)
      throw new UsageError(`Cannot take --${name} "${text}": expected a whole number from 1`);
    return value;
  };
  const { mutation } = values;
  if (mutation !== undefined && !isMutation(mutation))
    throw new UsageError(`Cannot find the mutation "${mutation}"`);
  const seed = count("seed");
  return {
    first: seed ?? count("first") ?? 1,
    histories: seed === undefined ? (count("histories") ?? 500) : 1,
    workers: count("workers") ?? availableParallelism(),
    size: {
      clients: count("clients") ?? DEFAULT_SIZE.clients,
      operations: count("steps") ?? DEFAULT_SIZE.operations,
      ...(mutation !== undefined && { mutation }),
    },
    isJson: values.json === true,
  };
}

function readArguments(args: readonly string[]) {
  const text = { type: "string" } as const;
  try {
    return parseArgs({
      args: args.filter((argument) => argument !== "--"),
      options: {
        histories: text,
        first: text,
        seed: text,
        clients: text,
        steps: text,
        mutation: text,
        workers: text,
        json: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

async function run({ first, histories, workers, size, isJson }: Options): Promise<Report> {
  const startMs = performance.now();
  const tally = new Tally();
  const failedSeeds: number[] = [];
  let done = 0;
  await runOnWorkers({ first, histories, workers, size }, (batch) => {
    done += batch.histories;
    tally.merge(batch.counts);
    failedSeeds.push(...batch.failedSeeds);
    const seconds = (performance.now() - startMs) / 1000;
    if (!isJson && process.stderr.isTTY)
      process.stderr.write(`\r${done} of ${histories} histories, ${rate(done, seconds)} a second `);
  });
  if (!isJson && process.stderr.isTTY) process.stderr.write("\r\u{1b}[K");
  const seconds = (performance.now() - startMs) / 1000;
  failedSeeds.sort((a, b) => a - b);
  const [worst] = failedSeeds;
  return {
    histories: done,
    seconds: Math.round(seconds * 10) / 10,
    historiesPerSecond: rate(done, seconds),
    counts: Object.fromEntries([...tally.counts].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    failedSeeds,
    finding: worst === undefined ? null : await explain(worst, size),
  };
}

function rate(done: number, seconds: number): number {
  return Math.round((done / seconds) * 10) / 10;
}

function describe({
  histories,
  seconds,
  historiesPerSecond,
  counts,
  failedSeeds,
  finding,
}: Report): string {
  const lines = [`${histories} histories in ${seconds} s, ${historiesPerSecond} a second`];
  for (const [name, count] of Object.entries(counts))
    lines.push(`${String(count).padStart(10)}  ${name}`);
  if (finding === null) return `${lines.join("\n")}\nAll promises are kept.\n`;
  const { seed, steps, shortSteps, violations, story } = finding;
  lines.push(
    `${failedSeeds.length} broke a promise: ${failedSeeds.slice(0, 20).join(" ")}`,
    `The history of seed ${seed}, in ${shortSteps} of its ${steps} steps:`,
    ...story.map((sentence) => `  ${sentence}`),
    ...violations,
    `Again: pnpm sim --seed ${seed}`,
  );
  return `${lines.join("\n")}\n`;
}

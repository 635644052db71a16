/** What programs do with a whole tree, timed in the local directory and on the mount in turn. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { runCommand } from "../hosts/run-command.ts";
import { type Row, summarize } from "./compare-operations.ts";
import type { BenchPlace } from "./places.ts";

interface Workload {
  readonly name: string;
  readonly atMost: number;
  /** Made once, on the local disk. */
  readonly prepareOnce?: (directory: string) => Promise<void>;
  /** Before each round, in the place; not timed. */
  readonly prepare?: (place: string, round: number, shared: string) => Promise<void>;
  readonly run: (place: string, round: number, shared: string) => Promise<unknown>;
}

const RUN_MS = 300_000;
const FILES = 10_000;
const FILES_PER_DIRECTORY = 100;
const MODULES = 300;
const TRANSACTIONS = 10_000;
const GIT_TIME_MS = 1_100;
const TSC = join(import.meta.dirname, "../../node_modules/.bin/tsc");

const run = (...command: string[]): Promise<string> => runCommand(command, { timeoutMs: RUN_MS });
const git = (repository: string, ...args: string[]): Promise<string> =>
  run(
    "git",
    "-C",
    repository,
    "-c",
    "user.name=bench",
    "-c",
    "user.email=bench@localhost",
    ...args,
  );

const WORKLOADS: readonly Workload[] = [
  {
    name: "tar x of 10,000 files",
    atMost: 2.5,
    async prepareOnce(directory) {
      const tree = join(directory, "tree");
      for (let file = 0; file < FILES; file += 1) {
        const below = join(tree, String(Math.floor(file / FILES_PER_DIRECTORY)));
        if (file % FILES_PER_DIRECTORY === 0) mkdirSync(below, { recursive: true });
        writeFileSync(join(below, `file-${file}`), `${file} `.repeat(300));
      }
      await run("tar", "-C", tree, "-cf", join(directory, "tree.tar"), ".");
    },
    async run(place, round, shared) {
      const to = join(place, `tree-${round}`);
      mkdirSync(to);
      await run("tar", "-C", to, "-xf", join(shared, "tree.tar"));
    },
  },
  {
    name: "git status of 10,000 files",
    atMost: 1.5,
    async prepare(place, round) {
      const tree = join(place, `tree-${round}`);
      await git(tree, "init", "-q");
      await git(tree, "add", "-A");
      await git(tree, "commit", "-q", "-m", "all");
      await git(tree, "status");
      // Files that are not older than git's index, by the second, it reads each time: that is how long `tar` took, not
      // what a status costs.
      await delay(GIT_TIME_MS);
      await git(tree, "update-index", "--force-write-index");
    },
    run: (place, round) => git(join(place, `tree-${round}`), "status"),
  },
  {
    name: "git clone of 10,000 files",
    atMost: 2,
    run: (place, round) =>
      run("git", "clone", "-q", join(place, `tree-${round}`), join(place, `clone-${round}`)),
  },
  {
    name: "tsc -b of 300 modules",
    atMost: 1.5,
    async prepare(place, round) {
      const source = join(place, `project-${round}`, "src");
      mkdirSync(source, { recursive: true });
      for (let module = 0; module < MODULES; module += 1)
        writeFileSync(join(source, `m${module}.ts`), moduleText(module));
      const compilerOptions = {
        outDir: "dist",
        rootDir: "src",
        composite: true,
        strict: true,
        types: [],
      };
      writeFileSync(join(source, "../tsconfig.json"), JSON.stringify({ compilerOptions }));
    },
    run: (place, round) => run(TSC, "-b", join(place, `project-${round}`)),
  },
  {
    name: "SQLite, 10,000 transactions",
    atMost: 1.5,
    run: (place, round) =>
      run(process.execPath, "-e", SQLITE, join(place, `${round}.sqlite`), String(TRANSACTIONS)),
  },
];

/** The built-in database of Node, each row in a transaction of its own. */
const SQLITE = `
const { DatabaseSync } = require("node:sqlite");
const database = new DatabaseSync(process.argv[1]);
database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE t (a INTEGER, b TEXT)");
const insert = database.prepare("INSERT INTO t VALUES (?, ?)");
for (let row = 0; row < Number(process.argv[2]); row++) insert.run(row, "some text of a row");
database.close();`;

function moduleText(module: number): string {
  const before = module === 0 ? "" : `import { value${module - 1} } from "./m${module - 1}.js";\n`;
  const value = module === 0 ? "0" : `value${module - 1} + 1`;
  return `${before}export const value${module}: number = ${value};\n${"// of some length\n".repeat(50)}`;
}

/** All of them, the local directory first, so many times over. */
export async function compareWorkloads(
  places: readonly BenchPlace[],
  shared: string,
  rounds: number,
): Promise<Row[]> {
  const measured = WORKLOADS.map(() => new Map(places.map(({ name }) => [name, [] as number[]])));
  const requests = WORKLOADS.map((): Record<string, number> => ({}));
  for (const { prepareOnce } of WORKLOADS) await prepareOnce?.(shared);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, workload] of WORKLOADS.entries()) {
      for (const place of places) {
        await workload.prepare?.(place.directory, round, shared);
        await place.settle();
        const before = await place.requests();
        const startMs = performance.now();
        await workload.run(place.directory, round, shared);
        measured[index]!.get(place.name)!.push(performance.now() - startMs);
        const after = await place.requests();
        for (const [name, count] of Object.entries(after ?? {}))
          requests[index]![name] = count - (before?.[name] ?? 0);
        await place.settle();
      }
    }
  }
  return WORKLOADS.map(({ name, atMost }, index) => ({
    name,
    atMost,
    unit: "ms",
    requests: requests[index]!,
    ...summarize(measured[index]!),
  }));
}

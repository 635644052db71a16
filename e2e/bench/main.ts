/**
 * `pnpm bench`: what a mount costs beside the directory that it is kept in, in one run, on one machine.
 * Prints tables, or one JSON object with `--json`. `--rounds N` repeats the operations; the best counts.
 */
import { join } from "node:path";
import { parseArgs } from "node:util";

import { runCommand } from "../hosts/run-command.ts";
import { makeWorkDirectory } from "../hosts/work-directory.ts";
import { createWorld } from "../hosts/world.ts";
import { measureLog } from "./log-rates.ts";
import type { Measurement } from "./operations.ts";
import { measureReplication } from "./replication.ts";
import { type Comparison, printReport } from "./report.ts";

const OPERATIONS = join(import.meta.dirname, "operations.ts");
const OPERATIONS_TIMEOUT_MS = 300_000;

const { values } = parseArgs({
  options: { json: { type: "boolean" }, rounds: { type: "string", default: "2" } },
});

const comparisons = await compareOperations(Number(values.rounds));
const replication = await measureReplication();
using work = makeWorkDirectory();
const log = await measureLog(work.path);
const report = { operations: comparisons, log, replication };
if (values.json === true) console.log(JSON.stringify(report));
else printReport(report);

async function compareOperations(rounds: number): Promise<Comparison[]> {
  await using world = await createWorld();
  await world.serve();
  const mount = await world.mount("client1", "on-demand");
  const backing: Measurement[][] = [];
  const mounted: Measurement[][] = [];
  // Turn and turn about, so that a busy moment of the machine meets both.
  for (let round = 0; round < rounds; round++) {
    backing.push(await measureIn(join(world.directory, `bench-${round}`)));
    mounted.push(await measureIn(join(mount.mountPoint, `bench-${round}`)));
    await mount.flush();
  }
  return (backing[0] ?? []).map(({ name, unit }, index) => {
    const best = (runs: Measurement[][]): number => {
      const found = runs.map((run) => run[index]?.value ?? NaN);
      return unit === "us" ? Math.min(...found) : Math.max(...found);
    };
    const a = best(backing);
    const b = best(mounted);
    return { name, unit, backing: a, mount: b, ratio: unit === "us" ? b / a : a / b };
  });
}

async function measureIn(directory: string): Promise<Measurement[]> {
  const command = [process.execPath, "--conditions=izo:source", OPERATIONS, directory];
  return JSON.parse(
    await runCommand(command, { timeoutMs: OPERATIONS_TIMEOUT_MS }),
  ) as Measurement[];
}

/**
 * `pnpm bench`: what a mount costs beside the directory that it is kept in, and beside sshfs and rclone
 * where they are installed, in one run, on one machine. Prints tables, and writes `bench.json`, `bench.txt`,
 * `bench.md` and `bench.svg` to `--out DIR` (default: `bench-results`). `--only operations,workloads,log,replication,cold-read,latency,scale`
 * leaves the rest out; `--rounds N` repeats all but the log, and medians count.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { makeWorkDirectory } from "../hosts/work-directory.ts";
import { createWorld } from "../hosts/world.ts";
import { drawChart } from "./chart.ts";
import { measureColdRead } from "./cold-read.ts";
import { compareOperations } from "./compare-operations.ts";
import { measureLatency } from "./latency.ts";
import { measureLog } from "./log-rates.ts";
import { describeMachine } from "./machine.ts";
import { driverOf, makeOthers, makePlaces } from "./places.ts";
import { measureReplication } from "./replication.ts";
import { formatMarkdown, formatReport, type Report } from "./report.ts";
import { measureScale } from "./scale.ts";
import { compareWorkloads } from "./workloads.ts";

const PARTS = ["operations", "workloads", "log", "replication", "cold-read", "latency", "scale"];

const { values } = parseArgs({
  options: {
    json: { type: "boolean" },
    rounds: { type: "string", default: "3" },
    only: { type: "string", default: PARTS.join() },
    out: { type: "string", default: "bench-results" },
  },
});
const rounds = Number(values.rounds);
const wanted = new Set(values.only.split(","));
const beginLoad = loadavg()[0] ?? 0;

const mounted = await measureMount();
const replication = wanted.has("replication") ? await measureReplication(rounds) : undefined;
const coldRead = wanted.has("cold-read") ? await measureColdRead(rounds) : undefined;
const latency = wanted.has("latency") ? await measureLatency(rounds) : undefined;
const scale = wanted.has("scale") ? await measureScale() : undefined;
using work = makeWorkDirectory();
const log = wanted.has("log") ? await measureLog(work.path) : undefined;
const report: Report = {
  machine: describeMachine([beginLoad, loadavg()[0] ?? 0]),
  rounds,
  ...mounted,
  ...(log !== undefined && { log }),
  ...(replication !== undefined && { replication }),
  ...(coldRead !== undefined && { coldRead }),
  ...(latency !== undefined && { latency }),
  ...(scale !== undefined && { scale }),
};
mkdirSync(values.out, { recursive: true });
const rows = [...(report.operations ?? []), ...(report.workloads ?? [])];
writeFileSync(join(values.out, "bench.json"), `${JSON.stringify(report, null, 2)}\n`);
writeFileSync(join(values.out, "bench.txt"), `${formatReport(report)}\n`);
writeFileSync(join(values.out, "bench.md"), `${formatMarkdown(report)}\n`);
writeFileSync(join(values.out, "bench.svg"), drawChart(rows));
console.log(values.json === true ? JSON.stringify(report) : formatReport(report));

async function measureMount(): Promise<
  Pick<Report, "operations" | "workloads" | "driver" | "missing">
> {
  await using stack = new AsyncDisposableStack();
  const world = stack.use(await createWorld());
  const places = await makePlaces(world, stack);
  const driver = await driverOf(join(world.directory, "client1/cache"));
  const others = wanted.has("operations")
    ? await makeOthers(world, stack)
    : { places: [], missing: [] };
  const operations = wanted.has("operations")
    ? await compareOperations([...places, ...others.places], rounds)
    : undefined;
  const shared = join(world.directory, "shared");
  mkdirSync(shared);
  const workloads = wanted.has("workloads")
    ? await compareWorkloads(places, shared, rounds)
    : undefined;
  return {
    driver,
    missing: others.missing,
    ...(operations !== undefined && { operations }),
    ...(workloads !== undefined && { workloads }),
  };
}

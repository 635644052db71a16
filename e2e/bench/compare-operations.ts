import { median } from "./median.ts";
import { OPERATIONS } from "./operations.ts";
import type { BenchPlace } from "./places.ts";

/** One kind of work in all places. */
export interface Row {
  readonly name: string;
  /** What this project aims at, in times of the local directory. */
  readonly atMost: number;
  readonly unit: "us" | "ms";
  /** The medians, by place. */
  readonly times: Readonly<Record<string, number>>;
  /** The medians of what each round gave, in times of the local directory, by place. */
  readonly ratios: Readonly<Record<string, number>>;
  /** What the kernel asked the mount for each, in the last round. */
  readonly requests: Readonly<Record<string, number>>;
}

/**
 * Does every operation in all places in turn, so many times over, and once more before, for what is
 * only done once: compilers that learn, directories that grow.
 */
export async function compareOperations(
  places: readonly BenchPlace[],
  rounds: number,
): Promise<Row[]> {
  const rows: Row[] = [];
  const measured = new Map<string, Map<string, number[]>>();
  const requests = new Map<string, Readonly<Record<string, number>>>();
  for (let round = 0; round <= rounds; round += 1) {
    for (const { name, count } of OPERATIONS) {
      for (const place of places) {
        await place.ask({ name, round, step: "prepare" });
        // What an operation leaves to be done later is not the next one's to bear.
        await place.settle();
        const before = await place.requests();
        const microseconds = await place.ask({ name, round, step: "run" });
        const after = await place.requests();
        if (before !== undefined && after !== undefined)
          requests.set(name, difference(before, after, count));
        if (round > 0) timesOf(measured, name, place.name).push(microseconds);
      }
    }
  }
  for (const { name, atMost } of OPERATIONS) {
    const row = { name, atMost, unit: "us" as const, requests: requests.get(name) ?? {} };
    rows.push({ ...row, ...summarize(measured.get(name)!) });
  }
  return rows;
}

/** Medians of times, and of their ratios to the local directory round by round. */
export function summarize(
  measured: ReadonlyMap<string, readonly number[]>,
): Pick<Row, "times" | "ratios"> {
  const local = measured.get("local")!;
  const places = [...measured];
  return {
    times: Object.fromEntries(places.map(([name, times]) => [name, median(times)])),
    ratios: Object.fromEntries(
      places
        .filter(([name]) => name !== "local")
        .map(([name, times]) => [name, median(times.map((time, round) => time / local[round]!))]),
    ),
  };
}

function timesOf(
  measured: Map<string, Map<string, number[]>>,
  name: string,
  place: string,
): number[] {
  let places = measured.get(name);
  if (places === undefined) measured.set(name, (places = new Map()));
  let times = places.get(place);
  if (times === undefined) places.set(place, (times = []));
  return times;
}

/** Asking for the counts costs the kernel nothing: that goes through a socket. */
function difference(
  before: Readonly<Record<string, number>>,
  after: Readonly<Record<string, number>>,
  count: number,
): Record<string, number> {
  const entries = Object.entries(after).map(
    ([name, total]) => [name, (total - (before[name] ?? 0)) / count] as const,
  );
  return Object.fromEntries(entries.filter(([, each]) => each >= 0.01));
}

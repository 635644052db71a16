import type { Labels, MetricFamily, Sample } from "./exposition.ts";

/** Seconds, from a page in memory to a poll that waits for most of a minute. */
export const DURATION_BUCKETS = [
  0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const;

interface Series {
  readonly labels: Labels;
  readonly counts: number[];
  sum: number;
  count: number;
}

/** How values are distributed, for each set of labels. */
export class Histogram {
  readonly #bounds: readonly number[];
  readonly #series = new Map<string, Series>();

  /** @param bounds upper ones, in growing order; above the last there is one more bucket */
  constructor(bounds: readonly number[] = DURATION_BUCKETS) {
    this.#bounds = bounds;
  }

  observe(labels: Labels, value: number): void {
    const key = JSON.stringify(labels);
    let series = this.#series.get(key);
    if (series === undefined) {
      series = { labels, counts: this.#bounds.map(() => 0), sum: 0, count: 0 };
      this.#series.set(key, series);
    }
    const bucket = this.#bounds.findIndex((bound) => value <= bound);
    if (bucket >= 0) series.counts[bucket]! += 1;
    series.sum += value;
    series.count += 1;
  }

  family(name: string, help: string): MetricFamily {
    const samples = [...this.#series.values()].flatMap((series) => this.#samplesOf(series));
    return { name, type: "histogram", help, samples };
  }

  /** Each bucket holds those of the smaller ones, too. */
  #samplesOf({ labels, counts, sum, count }: Series): Sample[] {
    let below = 0;
    const buckets = counts.map((own, index) => {
      below += own;
      const le = String(this.#bounds[index]);
      return { suffix: "_bucket", labels: { ...labels, le }, value: below };
    });
    return [
      ...buckets,
      { suffix: "_bucket", labels: { ...labels, le: "+Inf" }, value: count },
      { suffix: "_sum", labels, value: sum },
      { suffix: "_count", labels, value: count },
    ];
  }
}

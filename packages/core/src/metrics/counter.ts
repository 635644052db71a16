import type { Labels, MetricFamily } from "./exposition.ts";

/** How often something has happened, for each set of labels. */
export class Counter {
  readonly #series = new Map<string, { readonly labels: Labels; value: number }>();

  add(labels: Labels, count = 1): void {
    const key = JSON.stringify(labels);
    const series = this.#series.get(key) ?? { labels, value: 0 };
    series.value += count;
    this.#series.set(key, series);
  }

  family(name: string, help: string): MetricFamily {
    return { name, type: "counter", help, samples: [...this.#series.values()] };
  }
}

import { Counter, Histogram, oneValue, processFamilies, writeExposition } from "@izo/core";
import { processUsage } from "@izo/sys";

import type { Export, PushResult } from "../export/export.ts";
import { filesetFamilies } from "./fileset-metrics.ts";

/** Counters since the start of the process, in the text format of Prometheus. */
export class Metrics {
  readonly #requests = new Counter();
  readonly #durations = new Histogram();
  readonly #records = new Counter();
  #pushes = 0;
  #pollsWaiting = 0;
  #eventFeeds = 0;
  #bytesServed = 0;

  /** @param route the pattern of the route that answered; empty where there is none */
  requestAnswered(method: string, route: string, status: number, seconds: number): void {
    this.#requests.add({ method, route, status: String(status) });
    this.#durations.observe({ method, route }, seconds);
  }

  pushed(results: readonly PushResult[]): void {
    this.#pushes += 1;
    for (const { verdict } of results) this.#records.add({ verdict });
  }

  bytesServed(bytes: number): void {
    this.#bytesServed += bytes;
  }

  /** Counts one more waiting poll until its wait is over. */
  async whilePollWaits(wait: Promise<unknown>): Promise<void> {
    this.#pollsWaiting += 1;
    try {
      await wait;
    } finally {
      this.#pollsWaiting -= 1;
    }
  }

  /** Counts one more open feed of events until it is disposed of. */
  eventFeed(): Disposable {
    this.#eventFeeds += 1;
    return {
      [Symbol.dispose]: () => {
        this.#eventFeeds -= 1;
      },
    };
  }

  /** All of it, with how the filesets are. */
  write(filesets: readonly Export[]): string {
    return writeExposition([
      ...filesetFamilies(filesets),
      this.#requests.family("izo_http_requests_total", "Requests answered"),
      this.#durations.family(
        "izo_http_request_duration_seconds",
        "Time to the head of the answer; polls wait on purpose",
      ),
      oneValue(
        "izo_pushes_total",
        "counter",
        "Batches of records taken from clients",
        this.#pushes,
      ),
      this.#records.family(
        "izo_pushed_records_total",
        "Records of clients, by what became of them",
      ),
      oneValue("izo_polls_waiting", "gauge", "Polls that wait for a record", this.#pollsWaiting),
      oneValue("izo_event_feeds", "gauge", "Open feeds of events", this.#eventFeeds),
      oneValue(
        "izo_served_bytes_total",
        "counter",
        "Bytes of logs, snapshots and contents sent",
        this.#bytesServed,
      ),
      ...processFamilies(processUsage()),
    ]);
  }
}

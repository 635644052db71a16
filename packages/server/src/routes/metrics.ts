import type { Export, PushResult } from "../export/export.ts";

/** Counters since the start of the process, in the text format of Prometheus. */
export class Metrics {
  readonly #requests = new Map<number, number>();
  readonly #records = new Map<string, number>();
  #pushes = 0;
  #pollsWaiting = 0;
  #eventFeeds = 0;
  #bytesServed = 0;

  requestAnswered(status: number): void {
    this.#requests.set(status, (this.#requests.get(status) ?? 0) + 1);
  }

  pushed(results: readonly PushResult[]): void {
    this.#pushes += 1;
    for (const { verdict } of results) {
      this.#records.set(verdict, (this.#records.get(verdict) ?? 0) + 1);
    }
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

  /** All of it, with where the filesets' logs stand. */
  write(filesets: readonly Export[]): string {
    const lines: string[] = [];
    const metric = (
      name: string,
      type: string,
      help: string,
      samples: [string, number][],
    ): void => {
      lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
      for (const [labels, value] of samples) lines.push(`${name}${labels} ${value}`);
    };
    const ofFilesets = (value: (fileset: Export) => number): [string, number][] =>
      filesets.map((fileset) => [
        `{fileset="${escapeLabel(fileset.filesetName)}"}`,
        value(fileset),
      ]);
    metric(
      "izo_head_recno",
      "gauge",
      "Number of the last durable record",
      ofFilesets((fileset) => fileset.headPosition.recno),
    );
    metric(
      "izo_oldest_recno",
      "gauge",
      "Number of the oldest record kept",
      ofFilesets((fileset) => fileset.oldestRecno),
    );
    metric("izo_pushes_total", "counter", "Batches of records taken from clients", [
      ["", this.#pushes],
    ]);
    metric(
      "izo_pushed_records_total",
      "counter",
      "Records of clients, by what became of them",
      [...this.#records].map(([verdict, count]) => [`{verdict="${verdict}"}`, count]),
    );
    metric("izo_polls_waiting", "gauge", "Polls that wait for a record", [
      ["", this.#pollsWaiting],
    ]);
    metric("izo_event_feeds", "gauge", "Open feeds of events", [["", this.#eventFeeds]]);
    metric("izo_served_bytes_total", "counter", "Bytes of logs, snapshots and contents sent", [
      ["", this.#bytesServed],
    ]);
    metric(
      "izo_requests_total",
      "counter",
      "Requests answered, by status",
      [...this.#requests].map(([status, count]) => [`{status="${status}"}`, count]),
    );
    return `${lines.join("\n")}\n`;
  }
}

/** Escapes a label's value as the exposition format asks. */
function escapeLabel(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

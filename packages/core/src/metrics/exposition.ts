/**
 * Figures in the text format of Prometheus, version 0.0.4. Names keep its conventions: `izo_` first, base
 * units (seconds, bytes), `_total` at the end of what only grows.
 */

export type Labels = Readonly<Record<string, string>>;

/** One value of a metric. */
export interface Sample {
  readonly labels?: Labels;
  readonly value: number;
  /** What follows the name, of the parts of a histogram: `_bucket`, `_sum`, `_count`. */
  readonly suffix?: string;
}

/** A metric and all its values. */
export interface MetricFamily {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  /** One sentence, without a full stop. */
  readonly help: string;
  readonly samples: readonly Sample[];
}

export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Writes metrics; those without a value are left out. */
export function writeExposition(families: readonly MetricFamily[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .flatMap(({ name, type, help, samples }) => [
      `# HELP ${name} ${escapeHelp(help)}\n`,
      `# TYPE ${name} ${type}\n`,
      ...samples.map(
        ({ suffix = "", labels = {}, value }) =>
          `${name}${suffix}${writeLabels(labels)} ${writeValue(value)}\n`,
      ),
    ])
    .join("");
}

function writeLabels(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escapeLabel(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function writeValue(value: number): string {
  return value === Infinity ? "+Inf" : String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

/** Names of files and hosts may hold anything; the format is UTF-8. */
function escapeLabel(text: string): string {
  return escapeHelp(text.toWellFormed()).replaceAll('"', '\\"');
}

import type { MetricFamily } from "./exposition.ts";

/** What every process tells of itself, under the names that all exporters use. */
export function processFamilies(usage: {
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly heapUsedBytes: number;
  readonly openDescriptors: number;
  readonly startSeconds: number;
}): MetricFamily[] {
  return [
    oneValue("process_cpu_seconds_total", "counter", "Processor time used", usage.cpuSeconds),
    oneValue("process_resident_memory_bytes", "gauge", "Memory in use", usage.residentBytes),
    oneValue("nodejs_heap_size_used_bytes", "gauge", "Memory of objects", usage.heapUsedBytes),
    oneValue("process_open_fds", "gauge", "Open descriptors", usage.openDescriptors),
    oneValue(
      "process_start_time_seconds",
      "gauge",
      "When the process was started",
      usage.startSeconds,
    ),
  ];
}

/** A metric with one value and no labels. */
export function oneValue(
  name: string,
  type: "counter" | "gauge",
  help: string,
  value: number,
): MetricFamily {
  return { name, type, help, samples: [{ value }] };
}

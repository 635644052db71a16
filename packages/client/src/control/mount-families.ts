import { type Labels, type MetricFamily, oneValue } from "@izo/core";

import type { TransferTotals } from "../remote/transfer-book.ts";
import type { MountStatus } from "./mount-control.ts";

/** How a mount is, as metrics. */
export function mountFamilies(
  status: MountStatus,
  totals: TransferTotals,
  labels: Labels,
): MetricFamily[] {
  const isConnected = status.state === "polling" || status.state === "pushing";
  const transfers = (direction: "in" | "out"): number =>
    status.transfers.filter((transfer) => transfer.direction === direction).length;
  const families = [
    gauge("izo_mount_connected", "Whether the server answers", Number(isConnected)),
    gauge("izo_mount_recno", "Last record of the server that was replayed", status.recno),
    gauge("izo_mount_head_recno", "Last record that the server is known to have", status.headRecno),
    ...(status.lagMs === null
      ? []
      : [
          gauge(
            "izo_mount_lag_seconds",
            "Time since this mount last had all that the server had",
            status.lagMs / 1000,
          ),
        ]),
    gauge("izo_mount_pending_records", "Changes that the server has not yet", status.pending),
    gauge("izo_mount_pending_bytes", "Bytes of the contents among them", status.pendingBytes),
    gauge("izo_mount_conflicts", "Conflicts that wait for a decision", status.conflicts),
    gauge(
      "izo_mount_held_removals",
      "Removals that wait for a decision",
      status.heldRemoval?.removed ?? 0,
    ),
    gauge("izo_mount_cached_bytes", "Content in the cache", status.cachedBytes),
    ...(status.cacheQuotaBytes === null
      ? []
      : [gauge("izo_mount_cache_quota_bytes", "Content it keeps", status.cacheQuotaBytes)]),
    gauge("izo_mount_fetches", "Contents that are being fetched", transfers("in")),
    gauge("izo_mount_uploads", "Contents that are being sent", transfers("out")),
    oneValue(
      "izo_mount_received_bytes_total",
      "counter",
      "Bytes of contents fetched one by one",
      totals.receivedBytes,
    ),
    oneValue(
      "izo_mount_sent_bytes_total",
      "counter",
      "Bytes of contents sent one by one",
      totals.sentBytes,
    ),
    gauge("izo_mount_waiting_programs", "Programs that wait for content", status.waitingPrograms),
    gauge(
      "izo_mount_failing",
      "Whether something went wrong and was not put right since",
      Number(status.lastError !== null),
    ),
  ];
  return families.map((family) => ({
    ...family,
    samples: family.samples.map((sample) => ({ ...sample, labels })),
  }));
}

function gauge(name: string, help: string, value: number): MetricFamily {
  return oneValue(name, "gauge", help, value);
}

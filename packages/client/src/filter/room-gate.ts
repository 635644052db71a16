import type { ChangeLog } from "../cache/change-log.ts";
import type { ChangeGate } from "./change-gate.ts";

/**
 * Lets changes through while there is room for them among what waits for the server; then they find the disk full, as they
 * would without a server. What was opened for writing before can be written and closed: its content is here anyway.
 */
export function roomGate(log: Pick<ChangeLog, "pending">, mostPending: number): ChangeGate {
  return {
    errno: "ENOSPC",
    get isOpen() {
      return log.pending.size < mostPending;
    },
    seesWrites: false,
    mayChange: () => false,
    mayFinish: () => true,
    describe: () =>
      `${log.pending.size} changes wait for the server, and there is room for no more`,
  };
}

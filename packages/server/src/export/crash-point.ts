/**
 * Places of an apply and of a truncation at which a crash leaves something different behind. Tests kill the process at one;
 * where nobody asks, reaching one does nothing.
 */
export type CrashLabel =
  | "items-prepared"
  | "intents-written"
  /** Between two system calls of one step: further names of an inode, a victim still to be taken out. */
  | "half-step"
  | "step-done"
  | "tree-changed"
  | "log-synced"
  | "index-committed"
  | "anchor-written"
  | "truncation-logged"
  | "segments-removed"
  | "history-pruned";

export type CrashPoint = (label: CrashLabel) => void;

export const noCrash: CrashPoint = () => {};

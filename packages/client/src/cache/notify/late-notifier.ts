import type { WatchedChange } from "../../fuse/watched-change.ts";
import type { KernelNotifier } from "./kernel-notifier.ts";

/** Before the mount serves, and when it is gone, there is nobody to notify. */
export class LateNotifier implements KernelNotifier {
  target: KernelNotifier | undefined;

  invalidateEntry(...change: Parameters<KernelNotifier["invalidateEntry"]>): void {
    this.target?.invalidateEntry(...change);
  }

  invalidateNode(...change: Parameters<KernelNotifier["invalidateNode"]>): void {
    this.target?.invalidateNode(...change);
  }

  tellWatchers(change: WatchedChange): void {
    this.target?.tellWatchers?.(change);
  }
}

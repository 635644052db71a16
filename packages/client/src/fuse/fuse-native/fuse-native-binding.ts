/**
 * The `fuse-native` binding (npm alias of fuse-napi), with what its published interface withholds.
 *
 * The only place that reaches below that interface: it overrides one method, the one that spells the
 * mount options, as `allow_other` is refused there unless /etc/fuse.conf has
 * `user_allow_other`, which libfuse asks only of users who are not root, and `ro` is not known.
 */
import Fuse from "fuse-native";

export type Operations = Fuse.OPERATIONS;
export type BindingOptions = Omit<Fuse.OPTIONS, "allowOther" | "allowRoot">;
export type Stats = Fuse.Stats;
export type Timespec = Fuse.Timespec;

/** What the untyped method is, in the version that is pinned. */
interface OptionSpelling {
  _fuseOptions(): string;
}

/** Options of the mount that the binding has no word for, or refuses. */
interface MountOptions {
  readonly isForAll: boolean;
  readonly isReadOnly: boolean;
}

export class IzoFuse extends Fuse {
  readonly #mountOptions: MountOptions;

  constructor(
    mountPoint: string,
    operations: Operations,
    options: BindingOptions,
    mountOptions: MountOptions,
  ) {
    super(mountPoint, operations, options);
    this.#mountOptions = mountOptions;
  }

  /** Mounts; rejects with the binding's error. */
  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.mount((error) => (error == null ? resolve() : reject(error)));
    });
  }

  /** Unmounts lazily and joins the binding's threads. Equal for a mount that ended outside. */
  async stop(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.unmount((error) => (error == null ? resolve() : reject(error)));
    });
  }

  /** Drops one entry from the kernel's cache; waits as long as the kernel does. */
  async notifyEntry(path: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.invalidateEntry(path, (error) => (error == null ? resolve() : reject(error)));
    });
  }

  /** Called by the binding. */
  _fuseOptions(): string {
    // oxlint-disable-next-line no-underscore-dangle -- the binding's name for it
    const inherited = (Fuse.prototype as unknown as OptionSpelling)._fuseOptions.call(this);
    const { isForAll, isReadOnly } = this.#mountOptions;
    return inherited + (isForAll ? ",allow_other" : "") + (isReadOnly ? ",ro" : "");
  }
}

export const utimeNow = Fuse.UTIME_NOW;
export const utimeOmit = Fuse.UTIME_OMIT;

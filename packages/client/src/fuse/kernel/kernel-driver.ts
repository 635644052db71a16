import type { Name } from "@izo/core";
/**
 * Mounts a `FileSystem` by speaking the kernel's FUSE protocol itself, and hands open files to the kernel
 * (FUSE passthrough), so that their data never comes through this process.
 *
 * When this process dies, the kernel answers ENOTCONN at the mount point until it is detached, which the
 * next mount does. Nothing that was answered is lost by that, and what programs wrote through the
 * kernel is in the file.
 */
import { FuseDevice, FusermountError } from "@izo/sys";

import type { WakeUpFacts } from "../driver-facts.ts";
import type { FileSystem, NodeId } from "../file-system.ts";
import type { FuseMount, MountEnd } from "../fuse-mount.ts";
import { MountError, prepareMountPoint } from "../prepare-mount-point.ts";
import type { QuickWakeChoice } from "../quick-wake-choice.ts";
import type { WatchedChange } from "../watched-change.ts";
import { BackingFiles } from "./backing-files.ts";
import { Connection } from "./connection.ts";
import { directoryHandlers } from "./directory-handlers.ts";
import { DirectoryNumbers } from "./directory-numbers.ts";
import { fileHandlers } from "./file-handlers.ts";
import { FreeSpace } from "./free-space.ts";
import type { Handler, HandlerContext } from "./handler.ts";
import { answerInit } from "./init.ts";
import type { KernelDevice } from "./kernel-device.ts";
import { KnownNodes } from "./known-nodes.ts";
import { nameHandlers } from "./name-handlers.ts";
import { nodeHandlers } from "./node-handlers.ts";
import { Notifications } from "./notifications.ts";
import { OpenFiles } from "./open-files.ts";
import { MAJOR, OPCODE } from "./protocol.ts";
import { type QuickWake, quickWakeHere } from "./quick-wake.ts";
import { Watchers } from "./watchers/watchers.ts";

export interface KernelDriverOptions {
  /** Requests were answered for so long without a pause. Says for how many milliseconds no more are to be. */
  readonly onAnswered?: ((durationMs: number) => number) | undefined;
  /** As of `ConnectionOptions`. */
  readonly onSent?: (() => void) | undefined;
  /** Faults that no caller of the mount is told: errors without an errno, failed notifications. */
  readonly onError: (error: unknown) => void;
  /** Other users may use the mount. Default: see `FuseDeviceOptions`. */
  readonly isForAll?: boolean | undefined;
  /** The kernel refuses every change. */
  readonly isReadOnly?: boolean;
  /** On how many file systems the cache lies: see `answerInit`. 0 switches passthrough off. */
  readonly stackDepth?: 0 | 1 | 2;
  /** See `Connection`. */
  readonly spinMicroseconds?: number;
  /** By default `auto`. */
  readonly quickWake?: QuickWakeChoice | undefined;
}

const DEFAULT_SPIN_MICROSECONDS = 50;
const TURN_MS = 4;

function nowMs(): number {
  return performance.now();
}

/**
 * Mounts `fileSystem` at an existing, empty directory; resolves when the mount serves.
 *
 * @throws MountError as `mountFuseNative` does, and `fusermount3-missing`, `fusermount3-refused`;
 * IzoError `fuse-too-old`
 */
export async function mountKernel(
  fileSystem: FileSystem,
  mountPoint: string,
  options: KernelDriverOptions,
): Promise<KernelMount> {
  prepareMountPoint(mountPoint);
  let device: FuseDevice;
  try {
    const { isForAll, isReadOnly = false } = options;
    device = new FuseDevice(mountPoint, { subtype: "izo", isForAll, isReadOnly });
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause);
    const code = cause instanceof FusermountError ? cause.code : "mount-failed";
    throw new MountError(code, mountPoint, found, { cause });
  }
  return await serveKernel(fileSystem, mountPoint, device, options);
}

/** Serves what is mounted already; resolves when both sides have agreed. @throws IzoError `fuse-too-old` */
export async function serveKernel(
  fileSystem: FileSystem,
  mountPoint: string,
  device: KernelDevice,
  options: KernelDriverOptions,
): Promise<KernelMount> {
  const mount = new KernelMount(fileSystem, mountPoint, device, options);
  await mount.ready;
  return mount;
}

class KernelMount implements FuseMount {
  readonly mountPoint: string;
  /** Settles when the kernel and this side have agreed. */
  readonly ready: Promise<void>;
  readonly closed: Promise<MountEnd>;
  readonly #ready = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<MountEnd>();
  readonly #device: KernelDevice;
  readonly #options: KernelDriverOptions;
  readonly #backings: BackingFiles;
  readonly #space: FreeSpace;
  readonly #context: HandlerContext;
  readonly #connection: Connection;
  readonly #notifications: Notifications;
  readonly #watchers: Watchers;
  readonly #quickWake: QuickWake;
  #stopping: Promise<void> | undefined;
  #protocol = "";

  constructor(
    fileSystem: FileSystem,
    mountPoint: string,
    device: KernelDevice,
    options: KernelDriverOptions,
  ) {
    this.mountPoint = mountPoint;
    this.ready = this.#ready.promise;
    this.closed = this.#closed.promise;
    this.#device = device;
    this.#options = options;
    this.#backings = new BackingFiles(device);
    this.#quickWake = quickWakeHere(options.quickWake ?? "auto");
    const { onError } = options;
    this.#space = new FreeSpace(fileSystem, { nowMs, onError });
    const mayWait = (node: NodeId): boolean => this.#context.files.mayWait(node);
    this.#notifications = new Notifications(device.fd, { mayWait, onError: options.onError });
    const known = new KnownNodes(fileSystem);
    const onFurther = (parent: number, name: Name): void =>
      this.#notifications.invalidateEntry(parent, name);
    this.#context = {
      fileSystem,
      known,
      directories: new DirectoryNumbers({ known, nowMs, onFurther }),
      onFurther,
      onChanged: (number, name) => {
        for (const other of known.othersOf(number)) {
          if (name === undefined) this.#notifications.invalidateNode(other);
          else this.#notifications.invalidateEntry(other, name);
        }
      },
      files: new OpenFiles(fileSystem, this.#backings, this.#space),
      finishIdleWork: () => this.#connection.finishIdleWork(),
      hasSetxattrFlags: false,
      servesArriving: false,
      pagesSettled: (node) => this.#notifications.pagesSettled(node),
      onVolatile: (node) => this.#notifications.forgetAttributes(node),
    };
    const settled = (): Promise<void> => this.#notifications.drained();
    this.#watchers = new Watchers(this.#context, { mountPoint, settled, onError });
    const handlers = {
      [OPCODE.INIT]: this.#init,
      [OPCODE.DESTROY]: () => 0,
      ...nodeHandlers(this.#context),
      ...nameHandlers(this.#context),
      ...fileHandlers(this.#context),
      ...directoryHandlers(this.#context),
    };
    this.#connection = new Connection(device, this.#watchers.before(handlers), {
      spinMicroseconds: options.spinMicroseconds ?? DEFAULT_SPIN_MICROSECONDS,
      turnMs: TURN_MS,
      onAnswered: (durationMs, requests) => {
        this.#quickWake.note(requests);
        return options.onAnswered?.(durationMs) ?? 0;
      },
      onSent: options.onSent ?? (() => {}),
      onEnd: () => void this.#stop("detached"),
      onError: options.onError,
    });
    this.#connection.start();
  }

  /** The version of the protocol that both sides speak. */
  get protocol(): string {
    return this.#protocol;
  }

  /** What keeps the kernel from reading and writing the files itself; null where it does. */
  get noPassthrough(): string | null {
    return this.#backings.obstacle;
  }

  /** Mounted through `fusermount3`, for want of the right to. */
  get isByHelper(): boolean {
    return this.#device.isByHelper;
  }

  /** The kernel's requests so far, by kind. */
  get requests(): Readonly<Record<string, number>> {
    return this.#connection.requests;
  }

  /** Whether cores are woken quickly for it. */
  get wakeUps(): WakeUpFacts {
    return this.#quickWake.facts();
  }

  invalidateEntry(parent: NodeId, name: Name): void {
    const { known } = this.#context;
    if (!known.has(parent)) return;
    this.#notifications.invalidateEntry(parent, name);
    for (const number of known.furtherOf(parent)) this.#notifications.invalidateEntry(number, name);
  }

  /** What the kernel was not told of it cannot believe: a new replica has nothing else. */
  invalidateNode(node: NodeId): void {
    const { known } = this.#context;
    if (!known.has(node)) return;
    this.#notifications.invalidateNode(node);
    for (const number of known.furtherOf(node)) this.#notifications.invalidateNode(number);
  }

  tellWatchers(change: WatchedChange): void {
    if (this.#context.known.has(change.parent)) this.#watchers.tell(change);
  }

  descriptorClosed(node: NodeId, fd: number): void {
    this.#backings.closed(node, fd);
  }

  catchUp(): void {
    this.#connection.catchUp();
  }

  async invalidated(): Promise<void> {
    await this.#notifications.drained();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop("unmounted");
  }

  readonly #init: Handler = (request, reply) => {
    try {
      // The kernel takes a file only from who has CAP_SYS_ADMIN, and so could have mounted by itself.
      const stackDepth = this.isByHelper ? 0 : (this.#options.stackDepth ?? 1);
      const { bodyBytes, agreement } = answerInit(request, reply, stackDepth);
      this.#protocol = `${MAJOR}.${agreement.minor}`;
      if (this.isByHelper) this.#backings.disable("it takes CAP_SYS_ADMIN, which root has");
      else if (stackDepth === 0) this.#backings.disable("this mount has to see every write");
      else if (agreement.hasPassthrough) this.#backings.enable();
      this.#context.hasSetxattrFlags = agreement.hasSetxattrFlags;
      this.#context.servesArriving = agreement.hasDirectMappings;
      this.#ready.resolve();
      return bodyBytes;
    } catch (error) {
      this.#ready.reject(error);
      void this.#stop("unmounted");
      throw error;
    }
  };

  #stop(end: MountEnd): Promise<void> {
    this.#stopping ??= this.#tearDown(end);
    return this.#stopping;
  }

  async #tearDown(end: MountEnd): Promise<void> {
    const { onError } = this.#options;
    this.#watchers.close();
    if (end === "unmounted") {
      try {
        await this.#device.detach();
      } catch (error) {
        onError(error);
      }
    }
    // Requests go on being answered meanwhile: a notification may wait for one.
    this.#space[Symbol.dispose]();
    this.#quickWake[Symbol.dispose]();
    await this.#notifications.close();
    this.#connection.end();
    this.#device[Symbol.dispose]();
    await this.#watchers[Symbol.asyncDispose]();
    this.#context.files.releaseAll(onError);
    this.#context.known.forgetAll();
    this.#closed.resolve(end);
  }
}

/**
 * Mounts a `FileSystem` through the `fuse-native` binding: libfuse 3, high-level, by path.
 *
 * What the binding can and cannot do, with measurements, is in docs/decisions/0002. When this process
 * dies, the kernel answers ENOTCONN at the mount point until it is detached, which the next mount does.
 * Nothing that was answered is lost by that: no data or names are held back here.
 */
import type { Name } from "@izo/core";

import type { EntryName } from "../entry-name.ts";
import type { FileSystem, NodeId } from "../file-system.ts";
import type { FuseMount, MountEnd } from "../fuse-mount.ts";
import { MountError, prepareMountPoint } from "../prepare-mount-point.ts";
import { attributeOperations } from "./attribute-operations.ts";
import { EventLoopLinger } from "./event-loop-linger.ts";
import { IzoFuse, type Operations } from "./fuse-native-binding.ts";
import { handleOperations } from "./handle-operations.ts";
import { InvalidationQueue } from "./invalidation.ts";
import { toKernel } from "./kernel-names.ts";
import { nameOperations } from "./name-operations.ts";
import { Requests } from "./request.ts";

export interface FuseNativeOptions {
  /** Faults that no caller of the mount is told: errors without an errno, failed notifications. */
  readonly onError: (error: unknown) => void;
  /** Other users may use the mount. Default: when this process is root. */
  readonly isForAll?: boolean;
  /** The kernel refuses every change. */
  readonly isReadOnly?: boolean;
  /** How long the kernel believes a name or attributes that were not invalidated. */
  readonly cacheSeconds?: number;
  /** How many requests may wait for content at once; the next would wait for one of them. */
  readonly concurrency?: number;
  /** See `EventLoopLinger`; 0 switches it off. */
  readonly lingerMicroseconds?: number;
}

/**
 * Bounds the harm of the one race that notifications leave open, as the binding cannot answer with a
 * timeout of its own per reply: docs/decisions/0002, "Timeouts".
 */
const defaultCacheSeconds = 10;

/** One native thread each. The binding's most: an open that fetches occupies one until it is done. */
const defaultConcurrency = 64;

/** Of 0, 50 and 200 measured, the only one that is longer than the gaps between requests. */
const defaultLingerMicroseconds = 200;

const startTimeoutMs = 15_000;

/** FUSE_CAP_ of fuse_common.h that libfuse asks for and we do not want. */
const unwanted =
  // The kernel shall drop set-user-ID bits itself: this process writes with more rights than the caller.
  (1 << 20) | // HANDLE_KILLPRIV
  // Entries are listed without attributes, so the larger form only means fewer of them per page.
  (1 << 13) | // READDIRPLUS
  (1 << 14); // READDIRPLUS_AUTO

/**
 * Mounts `fileSystem` at an existing, empty directory; resolves when the mount serves.
 *
 * A mount point left behind by a process that died is detached first.
 *
 * @throws MountError `mount-point-missing`, `mount-point-not-directory`, `mount-point-not-empty`,
 * `mount-failed`.
 */
export async function mountFuseNative(
  fileSystem: FileSystem,
  mountPoint: string,
  options: FuseNativeOptions,
): Promise<FuseMount> {
  prepareMountPoint(mountPoint);
  const mount = new FuseNativeMount(fileSystem, mountPoint, options);
  await mount.start();
  return mount;
}

class FuseNativeMount implements FuseMount {
  readonly mountPoint: string;
  readonly closed: Promise<MountEnd>;
  readonly #closed = Promise.withResolvers<MountEnd>();
  readonly #binding: IzoFuse;
  readonly #requests: Requests;
  readonly #invalidations: InvalidationQueue;
  // The binding keeps nothing alive: without this, a process that only serves would exit.
  readonly #keepAlive = setInterval(() => {}, 2 ** 30);
  readonly #options: FuseNativeOptions;
  #stopping: Promise<void> | undefined;

  constructor(fileSystem: FileSystem, mountPoint: string, options: FuseNativeOptions) {
    this.mountPoint = mountPoint;
    this.closed = this.#closed.promise;
    this.#options = options;
    const linger = new EventLoopLinger(options.lingerMicroseconds ?? defaultLingerMicroseconds);
    this.#requests = new Requests(fileSystem, linger, options.onError);
    this.#binding = this.#bind();
    this.#requests.serve(this.#binding);
    this.#invalidations = new InvalidationQueue(
      (path) => this.#binding.notifyEntry(path),
      options.onError,
    );
  }

  async start(): Promise<void> {
    try {
      await this.#binding.start();
    } catch (cause) {
      clearInterval(this.#keepAlive);
      const found = cause instanceof Error ? cause.message : String(cause);
      throw new MountError("mount-failed", this.mountPoint, found, { cause });
    }
  }

  invalidateEntry(parent: NodeId, name: Name): void {
    const directory = this.#requests.paths.pathOf(parent);
    // The kernel was never led into this directory, or cannot know a name that is not UTF-8.
    if (directory === undefined || !name.isWellFormed()) return;
    this.#invalidate(`${directory === "/" ? "" : directory}/${toKernel(name)}`);
  }

  invalidateNode(_node: NodeId, names: Iterable<EntryName>): void {
    for (const { parent, name } of names) this.invalidateEntry(parent, name);
  }

  async invalidated(): Promise<void> {
    await this.#invalidations.drained();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop("unmounted");
  }

  #invalidate(path: string): void {
    this.#requests.paths.refresh(path);
    this.#requests.keptPages.drop(path);
    this.#invalidations.add(path);
  }

  #bind(): IzoFuse {
    const operations: Operations = {
      initWithConfig: (connection, reply) => reply(0, { want: connection.want & ~unwanted }),
      ...attributeOperations(this.#requests),
      ...nameOperations(this.#requests),
      ...handleOperations(this.#requests),
    };
    const cacheSeconds = this.#options.cacheSeconds ?? defaultCacheSeconds;
    const bindingOptions = {
      defaultPermissions: true,
      fsname: "izo",
      subtype: "izo",
      nullPathOk: true,
      entryTimeout: cacheSeconds,
      attrTimeout: cacheSeconds,
      maxConcurrency: this.#options.concurrency ?? defaultConcurrency,
      // An operation that was answered "timed out" would still happen. Who fetches sets the limit.
      timeout: { default: false, init: startTimeoutMs } as const,
      onError: (error: unknown, operation: string) => this.#report(error, operation),
    };
    const isForAll = this.#options.isForAll ?? process.getuid?.() === 0;
    const mountOptions = { isForAll, isReadOnly: this.#options.isReadOnly === true };
    return new IzoFuse(this.mountPoint, operations, bindingOptions, mountOptions);
  }

  #report(error: unknown, operation: string): void {
    // How the binding says that the mount was taken down outside.
    if (operation === "lifecycle") void this.#stop("detached");
    else this.#options.onError(error);
  }

  #stop(end: MountEnd): Promise<void> {
    this.#stopping ??= this.#tearDown(end);
    return this.#stopping;
  }

  async #tearDown(end: MountEnd): Promise<void> {
    try {
      await this.#binding.stop();
    } catch (error) {
      this.#options.onError(error);
    }
    this.#invalidations.close();
    this.#releaseAll();
    clearInterval(this.#keepAlive);
    this.#closed.resolve(end);
  }

  /** The kernel sends no RELEASE for what was open when the connection ended. */
  #releaseAll(): void {
    const { fileSystem, handles } = this.#requests;
    for (const handle of handles.all()) {
      try {
        if (handle.fd >= 0) fileSystem.release(handle.node, handle.fd);
      } catch (error) {
        this.#options.onError(error);
      }
      this.#requests.close(handle);
    }
  }
}

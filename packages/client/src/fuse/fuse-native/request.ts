import { isErrno, toErrno } from "../errno.ts";
import {
  type Awaitable,
  type Caller,
  type FileSystem,
  type NodeId,
  rootNode,
} from "../file-system.ts";
import type { EventLoopLinger } from "./event-loop-linger.ts";
/**
 * What every operation of the binding shares: the mount's tables, who asks, and how to answer.
 */
import type { IzoFuse } from "./fuse-native-binding.ts";
import { type Handle, HandleTable } from "./handle-table.ts";
import { HiddenNames } from "./hidden-names.ts";
import { KeptPages } from "./kept-pages.ts";
import { absent, NodePaths } from "./node-paths.ts";

/** A callback of the binding: a negative errno, or 0 and a value. */
export type Answer<T> = (errno: number, value?: T) => void;

/** What a path or a handle leads to. */
export interface Target {
  readonly node: NodeId;
  readonly fd?: number;
}

export class Requests {
  readonly fileSystem: FileSystem;
  readonly paths: NodePaths;
  readonly handles = new HandleTable();
  readonly hidden = new HiddenNames();
  readonly keptPages = new KeptPages();
  readonly #linger: EventLoopLinger;
  readonly #onError: (error: unknown) => void;
  #binding: IzoFuse | undefined;

  constructor(fileSystem: FileSystem, linger: EventLoopLinger, onError: (error: unknown) => void) {
    this.fileSystem = fileSystem;
    this.paths = new NodePaths(fileSystem);
    this.#linger = linger;
    this.#onError = onError;
  }

  /** The binding exists only after its operations do. */
  serve(binding: IzoFuse): void {
    this.#binding = binding;
  }

  /** Answers with the outcome of `work`, at once unless it must fetch. */
  answer<T>(reply: Answer<T>, work: () => Awaitable<T>): void {
    this.#linger.touch();
    try {
      const result = work();
      if (result instanceof Promise) {
        result.then(
          (value) => reply(0, value),
          (error: unknown) => reply(this.failure(error)),
        );
      } else {
        reply(0, result);
      }
    } catch (error) {
      reply(this.failure(error));
    }
  }

  /** Answers a read or write with its byte count. */
  answerCount(reply: (result: number) => void, work: () => number): void {
    this.#linger.touch();
    try {
      reply(work());
    } catch (error) {
      reply(this.failure(error));
    }
  }

  /** Answers a write of up to `bytes` with its byte count; on a full disk once more, after room was made. */
  answerWritten(reply: (result: number) => void, bytes: number, work: () => number): void {
    this.#linger.touch();
    try {
      reply(work());
    } catch (error) {
      const isFull = error instanceof Error && "code" in error && error.code === "ENOSPC";
      if (isFull) void this.#writeAgain(reply, bytes, work, error);
      else reply(this.failure(error));
    }
  }

  async #writeAgain(
    reply: (result: number) => void,
    bytes: number,
    work: () => number,
    error: unknown,
  ): Promise<void> {
    let result: number;
    try {
      if (!(await this.fileSystem.makeRoom(bytes))) throw error;
      result = work();
    } catch (failed) {
      result = this.failure(failed);
    }
    reply(result);
  }

  /** The errno for `error`; one that has none is a fault of ours and is reported. */
  failure(error: unknown): number {
    if (!isErrno(error)) this.#onError(error);
    return toErrno(error);
  }

  /** Who asks. Only while the operation is being called: not after an `await`. */
  caller(): Caller {
    const context = this.#binding?.context();
    return context == null
      ? { uid: 0, gid: 0, pid: 0 }
      : { uid: context.uid, gid: context.gid, pid: context.pid };
  }

  /** The handle that a directory operation is about, which the binding passes beside its arguments. */
  contextHandle(): Handle {
    return this.handles.get(this.#binding?.context()?.fileInfo?.fd ?? 0);
  }

  /** The node now at `path`, with a reference that the caller gives back. @throws ErrnoError ENOENT. */
  acquire(path: string): NodeId {
    if (path === "/") return rootNode;
    const { parent, name } = this.paths.place(path);
    const node = this.fileSystem.lookup(parent, name);
    if (node === undefined) throw absent(path);
    return node;
  }

  /** Takes a handle out of the table, with the references that it held. */
  close(handle: Handle): void {
    for (let ended = this.handles.remove(handle); ended > 0; ended -= 1) {
      this.fileSystem.forget(handle.node);
    }
    this.hidden.replace(handle.path, handle, this.handles.at(handle.path));
  }

  /** Calls `work` with what is now at `path`. @throws ErrnoError ENOENT. */
  with<T>(path: string, work: (target: Target) => T): T {
    const hidden = this.hidden.get(path);
    if (hidden !== undefined) return work(hidden);
    const node = this.acquire(path);
    return this.#releasing(node, () => work({ node }));
  }

  /** As `with`, by handle where there is one: after an unlink the path may be null. */
  withHandle<T>(path: string | null, handle: number | bigint, work: (target: Target) => T): T {
    if (handle !== 0) return work(this.handles.get(handle));
    if (path === null) throw absent("(removed)");
    return this.with(path, work);
  }

  /** Runs `work`, then gives back a reference to `node`, also after failure. */
  #releasing<T>(node: NodeId, work: () => T): T {
    let isPending = false;
    try {
      const result = work();
      if (!(result instanceof Promise)) return result;
      isPending = true;
      return result.finally(() => this.fileSystem.forget(node)) as T;
    } finally {
      if (!isPending) this.fileSystem.forget(node);
    }
  }
}

/**
 * The open handles of a mount: number → node and descriptor.
 *
 * Also by path, because to this binding's kernel side a path is an inode: several nodes can be open at
 * one path (content replaced behind the mount), and they share one page cache there.
 */
import { ErrnoError } from "../errno.ts";
import type { NodeId } from "../file-system.ts";

export interface Handle {
  readonly id: number;
  readonly node: NodeId;
  readonly fd: number;
  /** Where the kernel has it; follows renames. */
  path: string;
  /** `willWrite` was called since the last flush. */
  isWriteAnnounced: boolean;
  /** It reads and writes past the kernel's pages. */
  readonly isDirect: boolean;
  /** Something was written through it. */
  isWritten: boolean;
  /** References to the node that end with this handle: 1, or 0 when it was opened through another handle's. */
  references: number;
}

export class HandleTable {
  readonly #handles = new Map<number, Handle>();
  readonly #byPath = new Map<string, Set<Handle>>();
  // 0 is what the binding passes for "no handle".
  #nextId = 1;

  /** A reference to `node` comes with it, unless `isBorrowing` that of another handle. */
  add(
    node: NodeId,
    fd: number,
    path: string,
    { isDirect = false, isBorrowing = false } = {},
  ): Handle {
    const handle: Handle = {
      id: this.#nextId,
      node,
      fd,
      path,
      isWriteAnnounced: false,
      isDirect,
      isWritten: false,
      references: isBorrowing ? 0 : 1,
    };
    this.#nextId += 1;
    this.#handles.set(handle.id, handle);
    this.#index(handle);
    return handle;
  }

  /** @throws ErrnoError EBADF, which would be a bug of the kernel's side. */
  get(id: number | bigint): Handle {
    const handle = this.#handles.get(Number(id));
    if (handle === undefined) throw new ErrnoError("EBADF", `Cannot use handle ${id}: not open`);
    return handle;
  }

  /** Takes a handle out. Returns how many references to its node ended: none while another needs them. */
  remove(handle: Handle): number {
    this.#handles.delete(handle.id);
    this.#unindex(handle);
    const heir = [...this.at(handle.path)].find((other) => other.node === handle.node);
    if (heir === undefined) return handle.references;
    heir.references += handle.references;
    return 0;
  }

  /** Handles open at exactly this path. */
  at(path: string): ReadonlySet<Handle> {
    return this.#byPath.get(path) ?? noHandles;
  }

  all(): Handle[] {
    return [...this.#handles.values()];
  }

  /** What was at `from` is at `to`; with `isExchange` also the other way round. */
  move(from: string, to: string, isExchange: boolean): void {
    for (const handle of this.all()) {
      const path =
        rebased(handle.path, from, to) ?? (isExchange ? rebased(handle.path, to, from) : undefined);
      if (path === undefined) continue;
      this.#unindex(handle);
      handle.path = path;
      this.#index(handle);
    }
  }

  #index(handle: Handle): void {
    const there = this.#byPath.get(handle.path);
    if (there === undefined) this.#byPath.set(handle.path, new Set([handle]));
    else there.add(handle);
  }

  #unindex(handle: Handle): void {
    const there = this.#byPath.get(handle.path);
    there?.delete(handle);
    if (there?.size === 0) this.#byPath.delete(handle.path);
  }
}

const noHandles: ReadonlySet<Handle> = new Set();

/** `path` with its beginning `from` replaced, undefined when it does not begin so. */
function rebased(path: string, from: string, to: string): string | undefined {
  if (path === from) return to;
  return path.startsWith(`${from}/`) ? to + path.slice(from.length) : undefined;
}

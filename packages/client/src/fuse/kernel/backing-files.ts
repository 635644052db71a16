import type { NodeId } from "../file-system.ts";
import type { KernelDevice } from "./kernel-device.ts";

/** Nobody reads or writes through this one: data comes here as requests. */
export const NO_BACKING = 0;

interface Backing {
  readonly id: number;
  opens: number;
  /** A descriptor of the node that is kept for the next open: with it this stays registered. */
  keptFd: number | undefined;
}

/**
 * The files of which the kernel reads and writes the data itself (FUSE passthrough, Linux 6.9).
 *
 * While a node is open, all its opens go the same way, and to the same file: the kernel refuses a
 * mixture with EBUSY. So the first open of a node decides for all that come before the last one ends. A file
 * that was read stays registered while the file system keeps its descriptor: then the next open costs no call.
 */
export class BackingFiles {
  readonly #device: KernelDevice;
  readonly #open = new Map<NodeId, Backing>();
  #obstacle: string | null = "the kernel does not offer it";

  constructor(device: KernelDevice) {
    this.#device = device;
  }

  /** Why data comes through here; null where it does not. */
  get obstacle(): string | null {
    return this.#obstacle;
  }

  /** The kernel has agreed to passthrough. */
  enable(): void {
    this.#obstacle = null;
  }

  /** From here on data comes through here, because of this. */
  disable(obstacle: string): void {
    this.#obstacle = obstacle;
  }

  /**
   * Counts an open of `node`; the kernel's number for its file, or {@link NO_BACKING}.
   *
   * @param isWanted whether the kernel shall have the file, if this open decides
   */
  opened(node: NodeId, fd: number, isWanted: boolean): number {
    const known = this.#open.get(node);
    if (known !== undefined && (known.opens > 0 || isWanted)) {
      known.opens += 1;
      if (known.keptFd === fd) known.keptFd = undefined;
      return known.id;
    }
    if (known !== undefined) this.#remove(node, known);
    const id = isWanted && this.#obstacle === null ? this.#register(fd) : NO_BACKING;
    this.#open.set(node, { id, opens: 1, keptFd: undefined });
    return id;
  }

  /** Whether opens of `node` are counted. */
  isOpen(node: NodeId): boolean {
    return (this.#open.get(node)?.opens ?? 0) > 0;
  }

  /** An open of `node` has ended; with `isKept` its descriptor waits for the next. */
  released(node: NodeId, fd: number, isKept: boolean): void {
    const backing = this.#open.get(node);
    if (backing === undefined) return;
    backing.opens -= 1;
    if (isKept && backing.id !== NO_BACKING) backing.keptFd = fd;
    this.#removeUnused(node, backing);
  }

  /** A descriptor that was kept is about to be closed. */
  closed(node: NodeId, fd: number): void {
    const backing = this.#open.get(node);
    if (backing?.keptFd !== fd) return;
    backing.keptFd = undefined;
    this.#removeUnused(node, backing);
  }

  #removeUnused(node: NodeId, backing: Backing): void {
    if (backing.opens === 0 && backing.keptFd === undefined) this.#remove(node, backing);
  }

  #remove(node: NodeId, { id }: Backing): void {
    this.#open.delete(node);
    if (id !== NO_BACKING) this.#device.closeBacking(id);
  }

  #register(fd: number): number {
    try {
      return this.#device.openBacking(fd);
    } catch (error) {
      // Not permitted, or a file system that is stacked too deep: it will be so for the next one, too.
      this.#obstacle = error instanceof Error ? error.message : String(error);
      return NO_BACKING;
    }
  }
}

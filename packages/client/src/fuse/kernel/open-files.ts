import type { ArrivingContent, FileSystem, NodeId } from "../file-system.ts";
import { type BackingFiles, NO_BACKING } from "./backing-files.ts";
import type { FreeSpace } from "./free-space.ts";

/** A handle of the kernel; its number is that of the descriptor. */
export interface OpenFile {
  readonly node: NodeId;
  readonly fd: number;
  readonly isWritable: boolean;
  /** Data of this file does not come through here. */
  readonly isPassthrough: boolean;
  /** Set where not all of the content was here when it was opened. */
  readonly arriving: ArrivingContent | undefined;
  /** The file system was told that something is about to be written, and was not asked to log it since. */
  isWriteNoted: boolean;
}

/** Everything that is open. */
export class OpenFiles {
  readonly #fileSystem: FileSystem;
  readonly #backings: BackingFiles;
  readonly #space: FreeSpace;
  readonly #open = new Map<number, OpenFile>();
  readonly #arriving = new Map<NodeId, readonly ArrivingContent[]>();

  constructor(fileSystem: FileSystem, backings: BackingFiles, space: FreeSpace) {
    this.#fileSystem = fileSystem;
    this.#backings = backings;
    this.#space = space;
  }

  /**
   * Adds a descriptor of `node`; the kernel's number for its file as well, `NO_BACKING` for none.
   *
   * @param isWanted see `BackingFiles.opened`
   */
  add(
    node: NodeId,
    fd: number,
    isWritable: boolean,
    isWanted: boolean,
  ): { file: OpenFile; backing: number } {
    const backing = this.#backings.opened(
      node,
      fd,
      isWanted && (!isWritable || !this.#space.isShort),
    );
    const isPassthrough = backing !== NO_BACKING;
    if (isPassthrough && isWritable) this.#space.addWriter();
    const file = { node, fd, isWritable, isPassthrough, isWriteNoted: false, arriving: undefined };
    this.#open.set(fd, file);
    return { file, backing };
  }

  /** Adds a descriptor of a node of which only a part is here: the kernel gets no file of it. */
  addArriving(node: NodeId, fd: number, arriving: ArrivingContent): void {
    this.#backings.opened(node, fd, false);
    const rest = { isWritable: false, isPassthrough: false, isWriteNoted: false };
    this.#open.set(fd, { node, fd, ...rest, arriving });
    this.#arriving.set(node, [...(this.#arriving.get(node) ?? []), arriving]);
  }

  /** Whether a read of the node can wait for content that is arriving. */
  mayWait(node: NodeId): boolean {
    return this.#arriving.get(node)?.some(({ isSettled }) => !isSettled) === true;
  }

  /** @throws Error for a number that the kernel cannot have been given. */
  get(handle: number): OpenFile {
    const file = this.#open.get(handle);
    if (file === undefined) throw new Error(`Cannot use handle ${handle}: it is not open`);
    return file;
  }

  isOpen(file: OpenFile): boolean {
    return this.#open.get(file.fd) === file;
  }

  /** Whether somebody has a file open. */
  isInUse(node: NodeId): boolean {
    return this.#backings.isOpen(node);
  }

  /** Whether somebody has a file open for writing. Looks at all that are open. */
  hasWriter(node: NodeId): boolean {
    for (const file of this.#open.values()) if (file.node === node && file.isWritable) return true;
    return false;
  }

  /**
   * Before the first write, and the first after each flush: the file system marks what changes.
   *
   * @param isNew it was made just now
   */
  noteWrite(file: OpenFile, isNew = false): void {
    if (file.isWriteNoted && this.#fileSystem.announcesEveryWrite !== true) return;
    this.#fileSystem.willWrite(file.node, file.fd, file.isPassthrough, isNew);
    file.isWriteNoted = true;
  }

  flush(file: OpenFile): void {
    this.#fileSystem.flush(file.node, file.fd);
    // Passthrough writes are not seen, so the mark stays for as long as somebody could write.
    if (!file.isPassthrough) file.isWriteNoted = false;
  }

  release(file: OpenFile): void {
    this.#open.delete(file.fd);
    if (file.arriving !== undefined) this.#removeArriving(file.node, file.arriving);
    if (file.isPassthrough && file.isWritable) this.#space.removeWriter();
    let isKept = false;
    try {
      isKept = this.#fileSystem.release(file.node, file.fd);
    } finally {
      this.#backings.released(file.node, file.fd, isKept);
    }
  }

  #removeArriving(node: NodeId, arriving: ArrivingContent): void {
    const others = this.#arriving.get(node)?.filter((other) => other !== arriving) ?? [];
    if (others.length > 0) this.#arriving.set(node, others);
    else this.#arriving.delete(node);
  }

  /** The connection has ended: no RELEASE will come. */
  releaseAll(onError: (error: unknown) => void): void {
    for (const file of this.#open.values()) {
      try {
        this.release(file);
      } catch (error) {
        onError(error);
      }
    }
  }
}

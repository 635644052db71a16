import type { ChangeSet, CloseOperation, Oid, Recno, Sha256 } from "@izo/core";

/** A CLOSE of this client that is not acknowledged, by its number in the own log. */
export interface OwnClose {
  readonly recno: Recno;
  readonly operation: CloseOperation;
}

/** Local content opened for reading; whoever asked for it closes it. */
export interface LocalContent extends Disposable {
  /** Of the cache file itself; only read from it at stated offsets, never from its position. */
  readonly fd: number;
}

/** Local content that nobody is writing, and the open CLOSEs that it stands for. */
export interface WrittenContent extends LocalContent {
  readonly closes: readonly Recno[];
  /** False once anybody could have changed it since it was opened here. */
  readonly isUntouched: boolean;
  /** The content is durable and has this hash: its CLOSEs are sealed next. */
  noteHash(sha256: Sha256): void;
  /**
   * Its CLOSEs are sealed. One that was saved over got the content that was saved, and its object can have been parted
   * from that meanwhile: it stands elsewhere, without the content, and is to look as what it has now.
   */
  showElsewhere(): void;
}

/** The content of an object, checked against its hash. */
export interface SmallContent {
  readonly oid: Oid;
  readonly sha256: Sha256;
  readonly bytes: Uint8Array;
}

/**
 * What InterSync needs of the cache. The cache implements it; InterSync never touches the cache tree.
 *
 * No method is called while a transaction is open, and none may wait for the network except `fetch`.
 */
export interface CacheExecutor {
  /**
   * Makes the cache tree show the visible tree again, and lets the kernel know (design C7). Called
   * right after the position has moved: a crash in between is repaired when the cache is opened.
   */
  apply(changes: ChangeSet): void;

  /**
   * The content that an own CLOSE waits for, to be hashed (design D9); "written" while a program may
   * still change it, "gone" where nothing is left of it, "unknown" while that is not certain.
   */
  openWritten(close: OwnClose): WrittenContent | "written" | "gone" | "unknown";

  /**
   * A copy of the content that an own CLOSE waits for, where it is being written and has waited for long
   * enough; the copy is kept until the server has it. Undefined while the CLOSE can wait.
   *
   * @throws the disk's errors
   */
  copyWritten(close: OwnClose): Promise<WrittenContent | undefined>;

  /**
   * The local file that was written when an own CLOSE was made, as it stands: a program may have gone on
   * writing since. Undefined where none is here.
   */
  openContent(close: OwnClose): LocalContent | undefined;

  /** Tells that a program is writing to the file for which an own CLOSE was made, or may be. */
  isWritten(close: OwnClose): boolean;

  /** Tells whether the object's visible content is here: nothing has to be fetched for it. */
  hasContent(oid: Oid, sha256: Sha256): boolean;

  /**
   * Takes contents, each unless its object shows something else by now or has it already. Replica mode, small
   * contents.
   *
   * @throws the disk's errors; what came before is here then
   */
  putContents(contents: readonly SmallContent[]): Promise<void>;

  /**
   * Fetches the visible content of an object if it is not here; shares the fetch with opens that wait
   * for it. Replica mode, large contents.
   *
   * @throws what `Remote` throws; the cache's own errors (a wrong hash past caches, a full disk).
   */
  fetch(oid: Oid, signal: AbortSignal): Promise<void>;
}

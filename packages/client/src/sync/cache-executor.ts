import type { ChangeSet, Oid, Sha256 } from "@izo/core";

/** Local content opened for reading; whoever asked for it closes it. */
export interface LocalContent extends Disposable {
  /** Of the cache file itself; only read from it at stated offsets, never from its position. */
  readonly fd: number;
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

  /** Tells whether a program may still write to the object's local content (design D9). */
  hasWriter(oid: Oid): boolean;

  /**
   * Tells that nothing a program wrote to the object is here: it is gone, or its file waits for the
   * server's content. False while that is not certain.
   */
  lacksContent(oid: Oid): boolean;

  /** The object's local content as it stands; undefined where none is here. */
  openContent(oid: Oid): LocalContent | undefined;

  /** Tells whether the object's visible content is here: nothing has to be fetched for it. */
  hasContent(oid: Oid, sha256: Sha256): boolean;

  /**
   * Takes the content of an object, checked against its hash already, unless the object shows
   * something else by now or has it already. Replica mode, small contents.
   */
  putContent(oid: Oid, sha256: Sha256, bytes: Uint8Array): void;

  /**
   * Fetches the visible content of an object if it is not here; shares the fetch with opens that wait
   * for it. Replica mode, large contents.
   *
   * @throws what `Remote` throws; the cache's own errors (a wrong hash past caches, a full disk).
   */
  fetch(oid: Oid, signal: AbortSignal): Promise<void>;
}

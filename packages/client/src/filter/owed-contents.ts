/**
 * Contents that were written and could not be logged when their last descriptor was closed, because
 * the disk of the log was full. What was written is in the cache all the same, and is logged as soon as that
 * works; the status of the mount says so, and who waits for it to be sent is told. A mount that ends before
 * leaves the cache to recovery.
 */
import type { CacheNode } from "../cache/tree/cache-node.ts";
import type { NodeTable } from "../cache/tree/node-table.ts";

/** A full disk is looked at again this often. */
const RETRY_MS = 1_000;

export class OwedContents implements Disposable {
  readonly #nodes: NodeTable;
  readonly #log: (node: CacheNode) => void;
  readonly #onOwed: (node: CacheNode, error: unknown) => void;
  /** Why each was not logged. */
  readonly #owed = new Map<CacheNode, unknown>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param log logs the content of a file as it is now; throws while the log takes nothing
   * @param onOwed says that a content waits for that, and why
   */
  constructor(
    nodes: NodeTable,
    log: (node: CacheNode) => void,
    onOwed: (node: CacheNode, error: unknown) => void,
  ) {
    this.#nodes = nodes;
    this.#log = log;
    this.#onOwed = onOwed;
  }

  /** Nothing has to be found by recovery. */
  get isEmpty(): boolean {
    return this.#owed.size === 0;
  }

  /** Why there are some; undefined while there are none. */
  get reason(): unknown {
    const [error] = this.#owed.values();
    return error;
  }

  /** @param error why it was not logged */
  add(node: CacheNode, error: unknown): void {
    if (this.#owed.has(node)) return;
    this.#onOwed(node, error);
    this.#owed.set(node, error);
    // The table must not forget it meanwhile.
    node.references += 1;
    this.#timer ??= setInterval(() => this.#retry(), RETRY_MS).unref();
  }

  /** Logs all of them now. @throws what the log throws while it takes nothing */
  pay(): void {
    for (const node of this.#owed.keys()) {
      this.#log(node);
      this.#owed.delete(node);
      node.references -= 1;
      this.#nodes.collect(node);
    }
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  [Symbol.dispose](): void {
    this.#retry();
    clearInterval(this.#timer);
  }

  #retry(): void {
    try {
      this.pay();
    } catch {
      // It was said when the file was closed.
    }
  }
}

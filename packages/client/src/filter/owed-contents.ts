/**
 * Contents that were written and could not be logged when their last descriptor was closed, because
 * the disk of the log was full. Who closed was told so; what he wrote is in the cache all the same, and
 * is logged as soon as that works. A mount that ends before leaves the cache to recovery.
 */
import type { CacheNode } from "../cache/cache-node.ts";
import type { NodeTable } from "../cache/node-table.ts";

/** A full disk is looked at again this often. */
const RETRY_MS = 1_000;

export class OwedContents implements Disposable {
  readonly #nodes: NodeTable;
  readonly #log: (node: CacheNode) => void;
  readonly #owed = new Set<CacheNode>();
  #timer: NodeJS.Timeout | undefined;

  /** @param log logs the content of a file as it is now; throws while the log takes nothing */
  constructor(nodes: NodeTable, log: (node: CacheNode) => void) {
    this.#nodes = nodes;
    this.#log = log;
  }

  /** Nothing has to be found by recovery. */
  get isEmpty(): boolean {
    return this.#owed.size === 0;
  }

  add(node: CacheNode): void {
    if (this.#owed.has(node)) return;
    this.#owed.add(node);
    // The table must not forget it meanwhile.
    node.references += 1;
    this.#timer ??= setInterval(() => this.#retry(), RETRY_MS).unref();
  }

  [Symbol.dispose](): void {
    this.#retry();
    clearInterval(this.#timer);
  }

  #retry(): void {
    for (const node of this.#owed) {
      try {
        this.#log(node);
      } catch {
        // It was reported when the file was closed.
        return;
      }
      this.#owed.delete(node);
      node.references -= 1;
      this.#nodes.collect(node);
    }
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

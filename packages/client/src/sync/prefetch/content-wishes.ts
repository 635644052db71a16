import type { ChangeSet } from "@izo/core";

import { type KeptFile, REPLICA } from "../../keep/keep-rules.ts";
import type { Connection } from "../connection.ts";
import type { LocalReplica } from "../replica/local-replica.ts";
import type { SyncMode } from "../sync-status.ts";
import { type KeepPolicy, Prefetcher, type PrefetcherOptions } from "./prefetcher.ts";

/** Contents for which there was no room are tried again this often. */
const RETRY_MS = 30_000;

export interface ContentWishesOptions extends Omit<
  PrefetcherOptions,
  "keep" | "visible" | "directoryOf"
> {
  readonly replica: LocalReplica;
  readonly mode: SyncMode;
  readonly connection: Connection;
  /** What is kept besides all of a replica. */
  readonly keep: KeepPolicy | undefined;
}

/** Which contents are to be here without being asked for, and when they are fetched. */
export class ContentWishes implements AsyncDisposable {
  readonly #options: ContentWishesOptions;
  readonly #prefetcher: Prefetcher;
  readonly #retrying: NodeJS.Timeout;

  constructor(options: ContentWishesOptions) {
    const { replica, mode } = options;
    this.#options = options;
    this.#prefetcher = new Prefetcher({
      ...options,
      keep: options.keep ?? keepAllOf(mode),
      visible: (oid) => replica.visible.object(oid),
      directoryOf: (oid) => replica.visible.links(oid)[0]?.parent,
    });
    this.wantReplica();
    this.#retrying = setInterval(() => this.#retry(), RETRY_MS).unref();
  }

  /** Nothing of a replica is missing. */
  get isComplete(): boolean {
    return this.#options.mode === "replica" && this.#prefetcher.isIdle;
  }

  /** Something that nobody has asked for yet is being fetched. */
  get isFetching(): boolean {
    return this.#prefetcher.isRunning;
  }

  /** Fetches these in the background, those of the highest rank first. */
  want(files: Iterable<KeptFile>): void {
    for (const { object, rank } of files) this.#prefetcher.want(object, rank);
    this.#retry();
  }

  /** As {@link Prefetcher.wantChanged}. */
  wantChanged(changes: ChangeSet): void {
    this.#prefetcher.wantChanged(changes);
  }

  /** There is a tree, or another one: a replica wants all of it. */
  wantReplica(): void {
    const { replica, mode } = this.#options;
    if (mode !== "replica" || !replica.hasTree) return;
    for (const object of replica.authoritative.files()) this.#prefetcher.want(object, REPLICA);
  }

  /** Other contents are to be kept, or there is more room: begins anew, with all of a replica. */
  beginAnew(): void {
    this.#prefetcher.clear();
    this.wantReplica();
    this.fetch();
  }

  /** Fetches what is wanted, where somebody can be asked. */
  fetch(): void {
    const { state, signal } = this.#options.connection;
    if (state.name !== "offline") void this.#prefetcher.run(signal);
  }

  /** Waits for what is under way; the connection has ended before. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#retrying);
    await this.#prefetcher.run(this.#options.connection.signal);
  }

  #retry(): void {
    this.#prefetcher.retryBlocked();
    this.fetch();
  }
}

/** A replica keeps everything, whatever room it takes; a mount on demand nothing. */
function keepAllOf(mode: SyncMode): KeepPolicy {
  return {
    rankOf: () => (mode === "replica" ? REPLICA : undefined),
    makeRoomFor: () => Promise.resolve(true),
  };
}

/**
 * Brings contents into the cache: to a file of their own, checked, and then to their place (design C4;
 * `content-installer.ts`). A large content can be read before all of it is here; what of it
 * is here when a fetch ends early is gone on with by the next.
 *
 * Opens and replica mode share one fetch per object. A crash loses part of a fetch and nothing else:
 * staging is emptied at start, and the mark that says "here" comes with the inode. Nothing is synced,
 * because all of it can be fetched again: after a power cut recovery believes no mark before it has hashed
 * the content (docs/decisions/0007).
 */
import { rmSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

import type { Oid, Recno, Sha256 } from "@izo/core";

import { ErrnoError } from "../../fuse/errno.ts";
import type { GrowingHash } from "../../sync/seal/hash-file.ts";
import type { Arrival } from "../arriving/arrival.ts";
import { Arrivals } from "../arriving/arrivals.ts";
import type { PartialShelf } from "../arriving/partial-shelf.ts";
import { namesOf } from "../notify/invalidate-names.ts";
import type { KernelNotifier } from "../notify/kernel-notifier.ts";
import { isDiskFull } from "../quota/disk-full.ts";
import type { CacheTree } from "../tree/cache-tree.ts";
import { ContentInstaller, type ContentInstallerOptions } from "./content-installer.ts";
import type { ContentSource } from "./content-source.ts";
import { download, WrongContentError } from "./download.ts";
import { asFailure, isUnknown, supersededBy, unreachable, wrong } from "./fetch-failure.ts";

/** How often an object may change under a fetch before an open is told to try again later. */
const MAX_SUPERSEDED = 8;

/** How long an open waits for the log to reach the content that has replaced the one it wants. */
const SUPERSEDED_WAIT_MS = 30_000;

/**
 * How long an open waits, and how often it asks, for a content of an own record that the server has not got yet.
 * A conflict can part two objects that one inode held: then one of them is fetched as soon as it is sent.
 */
const UNSENT_WAIT_MS = 10_000;
const UNSENT_ASK_MS = 200;

/** What is smaller comes in one piece: there is nothing to gain by reading it earlier, or going on with it. */
export const SMALLEST_ARRIVAL_BYTES = 1024 * 1024;

export interface ContentFetcherOptions extends ContentInstallerOptions {
  /** What interrupted fetches have left. */
  readonly shelf: PartialShelf;
  /** The server; undefined while there is none. */
  readonly source: () => ContentSource | undefined;
  /** Resolves when the server's log was replayed up to there. */
  readonly waitFor: (recno: Recno, signal: AbortSignal) => Promise<void>;
  /** The disk is full: tries to let other content leave. Resolves with whether any did. */
  readonly reclaim: (bytes: number) => Promise<boolean>;
  /** See `ArrivalOptions`. */
  readonly follow: (fd: number) => GrowingHash;
  /** A content came wrong, and whoever was reading it has to be told so. */
  readonly onProblem: (path: string, error: unknown) => void;
  /** Ends all fetches. They are shared, so no one that waits for them can. */
  readonly signal: AbortSignal;
}

/** A fetch under way. */
interface Flight {
  /** What is being fetched now. */
  sha256: Sha256 | undefined;
  readonly isAwaited: boolean;
  readonly done: Promise<void>;
  /** Resolves when there is something to read; undefined for what has come in one piece. */
  readonly begun: PromiseWithResolvers<Arrival | undefined>;
}

/** A content that is not wanted any more is not fetched to its end. */
class StoppedError extends Error {
  override readonly name = "StoppedError";
}

export class ContentFetcher {
  readonly #options: ContentFetcherOptions;
  readonly #tree: CacheTree;
  readonly #notifier: KernelNotifier;
  readonly #signal: AbortSignal;
  readonly #flights = new Map<Oid, Flight>();
  readonly #arrivals: Arrivals;
  readonly #installer: ContentInstaller;

  constructor(options: ContentFetcherOptions) {
    this.#options = options;
    this.#tree = options.tree;
    this.#notifier = options.notifier;
    this.#signal = options.signal;
    this.#installer = new ContentInstaller(options);
    const failureOf = this.#failureOf.bind(this);
    const { shelf, source, follow, reclaim, signal } = options;
    this.#arrivals = new Arrivals({ shelf, source, follow, reclaim, signal, failureOf });
  }

  /**
   * Resolves when the object's visible content is in the cache. Equal requests share one fetch.
   *
   * @param isAwaited a program waits for it
   * @throws ErrnoError EHOSTUNREACH without a server; what the source throws; the disk's errors
   */
  fetch(oid: Oid, isAwaited = false): Promise<void> {
    return this.#fly(oid, isAwaited).done;
  }

  /**
   * Fetches as `fetch`, and resolves with the content as soon as there is something of it to read;
   * undefined when it came in one piece, or nothing had to be fetched.
   */
  arrive(oid: Oid): Promise<Arrival | undefined> {
    return this.#fly(oid, true).begun.promise;
  }

  /**
   * Resolves when these bytes of a content can be read; goes on with a fetch that has failed.
   *
   * @throws as `fetch`; ErrnoError ESTALE when another content has replaced it, EIO when it came wrong
   */
  async whenHere(
    arrival: Arrival,
    { oid, start, end }: { oid: Oid; start: number; end: number },
    signal: AbortSignal,
  ): Promise<void> {
    if (!arrival.isRunning) {
      const isCurrent = this.#arrivals.get(oid) === arrival && this.#isWanted(oid, arrival);
      (isCurrent ? this.fetch(oid, true) : arrival.run(true)).catch(() => {});
    }
    try {
      await arrival.whenHere(start, end, signal);
    } catch (error) {
      if (supersededBy(error) === undefined) throw error;
      const reason = "another content has replaced it on the server";
      const message = `Cannot read content ${arrival.sha256} on: ${reason}`;
      throw new ErrnoError("ESTALE", message, {}, error);
    }
  }

  /** A reader of a content has gone. */
  closeReader(oid: Oid, arrival: Arrival): void {
    arrival.closeReader();
    if (arrival.hasReaders) return;
    // What somebody opened is fetched to its end, unless the object shows something else by now.
    const isFetched = this.#flights.get(oid)?.sha256 === arrival.sha256;
    if (!isFetched || !this.#isWanted(oid, arrival)) void this.#letGo(oid, arrival);
  }

  async #letGo(oid: Oid, arrival: Arrival): Promise<void> {
    await arrival.stop(new StoppedError());
    this.#leave(oid, arrival);
  }

  /** Where nobody reads it any more: what is here of it stays for the next fetch, if there is to be one. */
  #leave(oid: Oid, arrival: Arrival): void {
    if (arrival.hasReaders) return;
    if (!this.#isWanted(oid, arrival)) arrival.remove();
    this.#arrivals.drop(oid, arrival);
  }

  /** Another content of the object is fetched from now on. */
  #stopUnread(oid: Oid): void {
    const arrival = this.#arrivals.get(oid);
    const isOld = arrival !== undefined && !this.#isWanted(oid, arrival);
    if (isOld && !arrival.hasReaders) void this.#letGo(oid, arrival);
  }

  /** Whoever wants another content than is being fetched does not wait for that one. */
  #fly(oid: Oid, isAwaited: boolean): Flight {
    const known = this.#flights.get(oid);
    const sha256 = this.#installer.wanted(oid)?.object.sha256 ?? undefined;
    if (known !== undefined && known.sha256 === sha256) return known;
    const begun = Promise.withResolvers<Arrival | undefined>();
    begun.promise.catch(() => {});
    const done = Promise.withResolvers<void>();
    const flight = { sha256, isAwaited, done: done.promise, begun };
    this.#flights.set(oid, flight);
    if (known !== undefined) this.#stopUnread(oid);
    void this.#finishFlight(oid, flight, done);
    return flight;
  }

  async #finishFlight(oid: Oid, flight: Flight, done: PromiseWithResolvers<void>): Promise<void> {
    done.promise.catch(() => {});
    try {
      await this.#fetchWithRoom(oid, flight);
      done.resolve();
      flight.begun.resolve(undefined);
    } catch (error) {
      done.reject(error);
      flight.begun.reject(error);
    } finally {
      if (this.#flights.get(oid) === flight) this.#flights.delete(oid);
    }
  }

  /** Contents have come by another way. */
  noteArrived(bytes: number): void {
    if (bytes > 0) this.#options.onArrived(bytes);
  }

  /** As {@link ContentInstaller.put}. */
  put(oid: Oid, sha256: Sha256, bytes: Uint8Array): void {
    this.#installer.put(oid, sha256, bytes);
  }

  /** A full disk is a reason to let go what nobody uses, once. */
  async #fetchWithRoom(oid: Oid, flight: Flight): Promise<void> {
    try {
      await this.#fetchVisible(oid, flight);
    } catch (error) {
      const object = this.#installer.wanted(oid)?.object;
      if (object === undefined || !isDiskFull(error, this.#options.stagingPath)) throw error;
      if (!(await this.#options.reclaim(object.sizeBytes))) throw error;
      await this.#fetchVisible(oid, flight);
    }
  }

  async #fetchVisible(oid: Oid, flight: Flight): Promise<void> {
    const startMs = performance.now();
    for (let attempt = 0; attempt < MAX_SUPERSEDED;) {
      const later = this.#flights.get(oid);
      if (later !== undefined && later !== flight) return later.done;
      const { sha256, sizeBytes = 0 } = this.#installer.wanted(oid)?.object ?? {};
      if (sha256 == null) return;
      flight.sha256 = sha256;
      const isLarge = sizeBytes >= SMALLEST_ARRIVAL_BYTES;
      const fetched = isLarge
        ? this.#fetchLarge(oid, sha256, sizeBytes, flight)
        : this.#fetchSmall(oid, sha256, sizeBytes, flight);
      try {
        if (await this.#untilReplaced(fetched)) return;
        attempt += 1;
      } catch (error) {
        const isLate = performance.now() - startMs > UNSENT_WAIT_MS;
        if (!isUnknown(error) || isLate) throw error;
        if (this.#isOwn(oid)) await delay(UNSENT_ASK_MS, undefined, { signal: this.#signal });
        // An own content that was never sent, because the object got another one meanwhile.
        else if (this.#installer.wanted(oid)?.object.sha256 !== sha256) attempt += 1;
        else throw error;
      }
    }
    throw new ErrnoError(
      "EAGAIN",
      `Cannot fetch ${oid}: it changes faster than it can be fetched`,
      { oid },
    );
  }

  /** Whether the object shows the content of an own record that waits. */
  #isOwn(oid: Oid): boolean {
    const object = this.#tree.visible.object(oid);
    return object !== undefined && typeof object.contentVersion !== "number";
  }

  /**
   * Whether the content has come, and is in its place; false when the server has a newer one, and the log
   * has now reached it.
   */
  async #untilReplaced(fetched: Promise<boolean>): Promise<boolean> {
    try {
      return await fetched;
    } catch (error) {
      const recno = supersededBy(error);
      if (recno === undefined) throw error;
      const timeout = AbortSignal.timeout(SUPERSEDED_WAIT_MS);
      await this.#options.waitFor(recno, AbortSignal.any([this.#signal, timeout]));
      return false;
    }
  }

  /** False when it changed, or came here by another way, while it was under way. */
  async #fetchSmall(
    oid: Oid,
    sha256: Sha256,
    sizeBytes: number,
    { isAwaited }: Flight,
  ): Promise<boolean> {
    const path = this.#installer.stage();
    const source = this.#options.source();
    if (source === undefined) throw unreachable(sha256);
    try {
      const asked = isAwaited ? askedByProgram(source) : source;
      await download(asked, sha256, path, this.#endsOf(source), sizeBytes);
    } catch (error) {
      throw this.#failureOf(error, sha256, source);
    }
    if (this.#installer.installWanted(oid, sha256, path)) return true;
    rmSync(path, { force: true });
    return false;
  }

  /** Twice where the first came wrong: then past all caches in between, from the start (design C4). */
  async #fetchLarge(
    oid: Oid,
    sha256: Sha256,
    sizeBytes: number,
    { begun, isAwaited }: Flight,
  ): Promise<boolean> {
    if (this.#options.source() === undefined) throw unreachable(sha256);
    for (const bypassCaches of [false, true]) {
      const arrival = this.#arrivals.of(oid, { sha256, sizeBytes }, bypassCaches);
      arrival.begun.then(
        () => begun.resolve(arrival),
        () => {},
      );
      try {
        // oxlint-disable-next-line no-await-in-loop -- the second only where the first was wrong
        await arrival.run(isAwaited);
        return this.#finish(oid, arrival);
      } catch (error) {
        if (!(error instanceof WrongContentError)) {
          this.#leave(oid, arrival);
          // It was stopped because another content is wanted.
          if (error instanceof StoppedError) return false;
          throw error;
        }
        this.#reportWrong(oid, arrival, error);
        if (bypassCaches) throw wrong(error);
      }
    }
    return false;
  }

  /** All of a content is here and right. */
  #finish(oid: Oid, arrival: Arrival): boolean {
    this.#arrivals.forget(oid, arrival);
    if (this.#installer.installWanted(oid, arrival.sha256, arrival.path, arrival)) {
      arrival.release();
      return true;
    }
    // Those who read it go on.
    arrival.remove();
    return false;
  }

  #reportWrong(oid: Oid, arrival: Arrival, error: WrongContentError): void {
    this.#arrivals.forget(oid, arrival);
    arrival.remove();
    const node = this.#tree.find(oid);
    this.#options.onProblem(node === undefined ? oid : this.#tree.nodes.shownPath(node), error);
    // The kernel may have pages of it.
    if (node?.isArriving === true) this.#notifier.invalidateNode(node.id, namesOf(node));
  }

  #endsOf({ lost }: ContentSource): AbortSignal {
    return lost === undefined ? this.#signal : AbortSignal.any([this.#signal, lost]);
  }

  #failureOf(error: unknown, sha256: Sha256, source?: ContentSource): unknown {
    if (this.#signal.aborted) return new ErrnoError("EIO", "Cannot fetch: the mount is going away");
    return asFailure(error, sha256, source?.lost);
  }

  #isWanted(oid: Oid, { sha256 }: Arrival): boolean {
    return this.#installer.wanted(oid)?.object.sha256 === sha256;
  }
}

function askedByProgram(source: ContentSource): ContentSource {
  return {
    fetchContent: (sha256, options, signal) =>
      source.fetchContent(sha256, { ...options, isAwaited: true }, signal),
  };
}

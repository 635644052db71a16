/**
 * Brings contents into the cache: to staging, checked, given the attributes of its object, renamed
 * into place (design C4). The old content stays visible until the new one is there; descriptors that
 * are open on the old one keep it.
 *
 * Opens and replica mode share one fetch per object. A crash loses a fetch and nothing else: staging
 * is emptied at start, and the mark that says "here" comes with the inode. Nothing is synced, because
 * all of it can be fetched again: after a power cut recovery believes no mark before it has hashed the
 * content (docs/decisions/0007).
 */
import { closeSync, constants, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";

import { IzoError, type Oid, type Recno, type Sha256, type TreeObject } from "@izo/core";

import { ErrnoError } from "../fuse/errno.ts";
import type { CacheNode } from "./cache-node.ts";
import type { CacheTree } from "./cache-tree.ts";
import type { ContentSource } from "./content-source.ts";
import { isDiskFull } from "./disk-full.ts";
import { download, WrongContentError } from "./download.ts";
import { fillPlaceholder } from "./fill-placeholder.ts";
import { giveAttributes } from "./inode.ts";
import type { KernelNotifier } from "./kernel-notifier.ts";

/** How often an object may change under a fetch before an open is told to try again later. */
const MAX_SUPERSEDED = 8;

/** How long an open waits for the log to reach the content that has replaced the one it wants. */
const SUPERSEDED_WAIT_MS = 30_000;

export interface ContentFetcherOptions {
  readonly tree: CacheTree;
  readonly stagingPath: string;
  readonly notifier: KernelNotifier;
  /** The server; undefined while there is none. */
  readonly source: () => ContentSource | undefined;
  /** Resolves when the server's log was replayed up to there. */
  readonly waitFor: (recno: Recno, signal: AbortSignal) => Promise<void>;
  /** A content has come into the cache. */
  readonly onArrived: (bytes: number) => void;
  /** The disk is full: tries to let other content leave. Resolves with whether any did. */
  readonly reclaim: (bytes: number) => Promise<boolean>;
  /** Ends all fetches. They are shared, so no one that waits for them can. */
  readonly signal: AbortSignal;
}

export class ContentFetcher {
  readonly #tree: CacheTree;
  readonly #stagingPath: string;
  readonly #notifier: KernelNotifier;
  readonly #source: ContentFetcherOptions["source"];
  readonly #waitFor: ContentFetcherOptions["waitFor"];
  readonly #onArrived: ContentFetcherOptions["onArrived"];
  readonly #reclaim: ContentFetcherOptions["reclaim"];
  readonly #signal: AbortSignal;
  readonly #flights = new Map<Oid, Promise<void>>();
  #count = 0;

  constructor(options: ContentFetcherOptions) {
    this.#tree = options.tree;
    this.#stagingPath = options.stagingPath;
    this.#notifier = options.notifier;
    this.#source = options.source;
    this.#waitFor = options.waitFor;
    this.#onArrived = options.onArrived;
    this.#reclaim = options.reclaim;
    this.#signal = options.signal;
  }

  /**
   * Resolves when the object's visible content is in the cache. Equal requests share one fetch.
   *
   * @throws ErrnoError EHOSTUNREACH without a server; what the source throws; the disk's errors
   */
  fetch(oid: Oid): Promise<void> {
    let flight = this.#flights.get(oid);
    if (flight === undefined) {
      flight = this.#fetchWithRoom(oid).finally(() => this.#flights.delete(oid));
      this.#flights.set(oid, flight);
    }
    return flight;
  }

  /** Takes a content that was checked against its hash, unless the object shows something else by now. */
  put(oid: Oid, sha256: Sha256, bytes: Uint8Array): void {
    const wanted = this.#wanted(oid);
    if (wanted?.object.sha256 !== sha256) return;
    const { node, object } = wanted;
    if (!node.isPresent && node.descriptors.size === 0) {
      fillPlaceholder(this.#tree, node, object, { sha256, bytes });
      this.#onArrived(bytes.length);
      this.#notifier.invalidateNode(node.id, namesOf(node));
      return;
    }
    const path = this.#stage();
    const fd = openSync(path, constants.O_CREAT | constants.O_EXCL | constants.O_RDWR, 0o600);
    try {
      for (let offset = 0; offset < bytes.length;) offset += writeSync(fd, bytes, offset);
    } catch (error) {
      rmSync(path, { force: true });
      throw error;
    } finally {
      closeSync(fd);
    }
    this.#install(node, object, sha256, path);
  }

  /** A full disk is a reason to let go what nobody uses, once. */
  async #fetchWithRoom(oid: Oid): Promise<void> {
    try {
      await this.#fetchVisible(oid);
    } catch (error) {
      const object = this.#wanted(oid)?.object;
      if (object === undefined || !isDiskFull(error, this.#stagingPath)) throw error;
      if (!(await this.#reclaim(object.sizeBytes))) throw error;
      await this.#fetchVisible(oid);
    }
  }

  async #fetchVisible(oid: Oid): Promise<void> {
    for (let attempt = 0; attempt < MAX_SUPERSEDED; attempt += 1) {
      const { sha256, sizeBytes = 0 } = this.#wanted(oid)?.object ?? {};
      if (sha256 == null) return;
      const path = this.#stage();
      if (!(await this.#download(sha256, path, sizeBytes))) continue;
      const wanted = this.#wanted(oid);
      if (wanted?.object.sha256 === sha256) {
        this.#install(wanted.node, wanted.object, sha256, path);
        return;
      }
      // It changed, or came here by another way, while it was under way: look again.
      rmSync(path, { force: true });
    }
    throw new ErrnoError(
      "EAGAIN",
      `Cannot fetch ${oid}: it changes faster than it can be fetched`,
      { oid },
    );
  }

  /** False when the server has a newer content and the log has now reached it. */
  async #download(sha256: Sha256, path: string, sizeBytes: number): Promise<boolean> {
    const source = this.#source();
    const signal = this.#signal;
    if (source === undefined) throw unreachable(sha256);
    const { lost } = source;
    try {
      const ends = lost === undefined ? signal : AbortSignal.any([signal, lost]);
      await download(source, sha256, path, ends, sizeBytes);
      return true;
    } catch (error) {
      if (lost?.aborted === true && !signal.aborted) throw unreachable(sha256, lost.reason);
      const recno = supersededBy(error);
      if (recno !== undefined) {
        await this.#waitFor(
          recno,
          AbortSignal.any([signal, AbortSignal.timeout(SUPERSEDED_WAIT_MS)]),
        );
        return false;
      }
      if (error instanceof WrongContentError)
        throw new ErrnoError("EIO", error.message, error.data, error);
      if (error instanceof IzoError && error.code === "unreachable")
        throw unreachable(sha256, error);
      throw error;
    }
  }

  /** The node and object to fetch for; undefined where nothing has to be fetched. */
  #wanted(oid: Oid): { node: CacheNode; object: TreeObject } | undefined {
    const node = this.#tree.find(oid);
    const object = this.#tree.visible.object(oid);
    if (node === undefined || object === undefined || object.kind !== "file") return undefined;
    const { holding } = node;
    // Local content is newer than anything the log knows, until a record says otherwise.
    if (holding.state === "local") return undefined;
    if (holding.state === "content" && holding.sha256 === object.sha256) return undefined;
    return { node, object };
  }

  #install(node: CacheNode, object: TreeObject, sha256: Sha256, path: string): void {
    const holding = { state: "content", sha256 } as const;
    const fd = openSync(path, constants.O_RDWR);
    try {
      const { form } = this.#tree;
      giveAttributes(form, fd, object);
      form.writeMark(fd, { oid: object.oid, holding });
    } finally {
      closeSync(fd);
    }
    const next = this.#tree.replaceInode(node, path, holding);
    this.#onArrived(object.sizeBytes);
    invalidateNames(this.#notifier, next);
  }

  #stage(): string {
    this.#count += 1;
    return join(this.#stagingPath, `content-${this.#count}`);
  }
}

/** The names of a node as the kernel's side wants them. */
export function namesOf(
  node: CacheNode,
): { parent: number; name: CacheNode["links"][number]["name"] }[] {
  return node.links.map(({ parent, name }) => ({ parent: parent.id, name }));
}

/** Another inode has taken the names: what the kernel knows under them is not what is there. */
export function invalidateNames(notifier: KernelNotifier, node: CacheNode): void {
  for (const { parent, name } of namesOf(node)) notifier.invalidateEntry(parent, name);
}

function unreachable(sha256: Sha256, cause?: unknown): ErrnoError {
  return new ErrnoError(
    "EHOSTUNREACH",
    `Cannot fetch content ${sha256}: the server cannot be reached, and the content is not in the cache`,
    { sha256 },
    cause,
  );
}

/** The record that replaced a content which the server does not have any more. */
function supersededBy(error: unknown): Recno | undefined {
  if (!(error instanceof IzoError) || error.code !== "content-superseded") return undefined;
  return typeof error.data["recno"] === "number" ? (error.data["recno"] as Recno) : undefined;
}

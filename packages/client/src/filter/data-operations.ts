/**
 * Open files: open, willWrite, flush, release, fsync. The data itself goes past here (design C2).
 *
 * What is written is marked on the inode before the first byte, and logged as an open CLOSE before
 * close(2) returns (design D9). A crash in between leaves the mark, and recovery logs what is there.
 */
import { closeSync, constants, fdatasync, fsync, ftruncateSync, openSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

import { isSameVersion } from "@izo/core";

import type { Arrival } from "../cache/arriving/arrival.ts";
import { SMALLEST_ARRIVAL_BYTES } from "../cache/content/fetch.ts";
import type { CacheNode, NodeLink } from "../cache/tree/cache-node.ts";
import { osPath } from "../cache/tree/cache-paths.ts";
import { syncDirectory } from "../cache/tree/sync-directory.ts";
import { ErrnoError } from "../fuse/errno.ts";
import type { FileSystem, Opened } from "../fuse/file-system.ts";
import type { Actors } from "./actor.ts";
import { arrivingReads } from "./arriving-reads.ts";
import { closeDescriptor, watchWriters } from "./close-descriptor.ts";
import type { FilterContext } from "./filter-context.ts";
import { logContent, markLocal, markUnwritten, noteSync } from "./log-content.ts";
import { isForWriting, isForWritingAlone } from "./mode-bits.ts";
import { openInode } from "./open-inode.ts";

/** So often what is to be opened may become another while its content comes. */
const MOST_FETCHES = 16;
const FETCH_AGAIN_MS = 50;

const syncData = promisify(fdatasync);
const syncAll = promisify(fsync);

export function dataOperations(
  context: FilterContext,
  actors: Actors,
): Pick<
  FileSystem,
  "open" | "willWrite" | "flush" | "release" | "fsync" | "fsyncdir" | "makeRoom"
> {
  const { tree, log, fetches } = context;
  const { nodes } = tree;

  function openNow(node: CacheNode, flags: number): Opened {
    const { fd, isWritable, isPlain } = openInode(nodes, node, flags);
    node.addDescriptor(fd, isWritable, isPlain, isForWritingAlone(flags));
    context.onUsed(node.oid);
    if ((flags & constants.O_TRUNC) !== 0 && isWritable) {
      truncateOpen(context, node, fd, 0);
      node.unlogged.add(fd);
    } else if ((flags & constants.O_TRUNC) !== 0) {
      truncateNow(context, node, 0);
    }
    return { fd, keepCache: true };
  }

  /** Absent content, and old content that somebody wants to change, have to be fetched. */
  function mustFetch(node: CacheNode, flags: number): boolean {
    if ((flags & constants.O_TRUNC) !== 0 || node.kind !== "file") return false;
    const { holding } = node;
    if (holding.state === "absent") return true;
    const isWritable = isForWriting(flags);
    if (!isWritable || holding.state !== "content" || !node.isNamed) return false;
    const wanted = tree.objectOf(node)?.sha256 ?? null;
    return wanted !== null && wanted !== holding.sha256;
  }

  /**
   * Others can put another file in its place while the content comes, or another content into it. The kernel then looks
   * the path up again, once and no more: it does not need to wait a second time where what it will find is here.
   */
  async function openFetched(node: CacheNode, flags: number): Promise<Opened> {
    const [place] = node.links;
    let current: CacheNode | undefined = node;
    for (let attempt = 1; current !== undefined && attempt <= MOST_FETCHES; attempt += 1) {
      // oxlint-disable-next-line no-await-in-loop -- each follows one that came too late
      await fetchOnce(current);
      if (!current.isNamed) current = place === undefined ? undefined : standingAt(place);
      if (current === undefined || !mustFetch(current, flags)) break;
    }
    if (current !== node || mustFetch(node, flags))
      throw new ErrnoError("ESTALE", "Cannot open: another content has taken the name");
    return openNow(node, flags);
  }

  async function fetchOnce(node: CacheNode): Promise<void> {
    const wanted = tree.objectOf(node)?.sha256;
    await fetches.fetch(node.oid);
    // An own content that is on its way to the server, and has no hash yet.
    if (!node.isPresent && wanted === null) await delay(FETCH_AGAIN_MS);
  }

  function standingAt({ parent, name }: NodeLink): CacheNode | undefined {
    return parent.isNamed ? tree.child(parent, name) : undefined;
  }

  /** Whether programs may read the content while it comes. */
  function mayArrive(node: CacheNode, flags: number): boolean {
    const from = context.streamFromBytes();
    if (from === null || isForWriting(flags) || node.isPresent || !node.isNamed) return false;
    return (tree.objectOf(node)?.sizeBytes ?? 0) >= Math.max(from, SMALLEST_ARRIVAL_BYTES);
  }

  async function openArriving(node: CacheNode, flags: number): Promise<Opened> {
    const arrival = await fetches.arrive(node.oid);
    const isShown = !node.isPresent && tree.objectOf(node)?.sha256 === arrival?.sha256;
    if (arrival?.isReadable !== true || !node.isNamed || !isShown) return openFetched(node, flags);
    context.onUsed(node.oid);
    return openReader(node, arrival);
  }

  function openReader(node: CacheNode, arrival: Arrival): Opened {
    // What it has from an arrival that came wrong is not to be kept.
    const keepCache = [...node.arriving.values()].some((reader) => reader.arrival === arrival);
    node.remains ??= openSync(osPath(nodes.pathOf(node)), tree.form.remainsFlags);
    const fd = arrival.openReader();
    const abort = new AbortController();
    node.arriving.set(fd, { arrival, abort });
    return { fd, keepCache, arriving: arrivingReads(fetches, node, arrival, abort.signal) };
  }

  function closeReader(node: CacheNode, fd: number): void {
    const { arrival, abort } = node.arriving.get(fd)!;
    abort.abort();
    node.arriving.delete(fd);
    closeSync(fd);
    if (!node.isArriving && node.isNamed) node.dropRemains();
    fetches.closeReader(node.oid, arrival);
    nodes.collect(node);
  }

  /**
   * Closes a descriptor, unless somebody goes on writing through a mapping that it leaves behind.
   *
   * @returns whether it stays open for others
   */
  function release(node: CacheNode, fd: number): boolean {
    if (node.descriptors.get(fd)?.isPlain === true && node.isNamed && nodes.kept.keep(node, fd)) {
      node.descriptors.delete(fd);
      return true;
    }
    const isUnmappable = node.descriptors.get(fd)?.isUnmappable === true;
    if (!node.unlogged.isWatched(fd) || isUnmappable || !node.isNamed) {
      closeDescriptor(context, node, fd);
      return false;
    }
    watchWriters(context, node, fd);
    return false;
  }

  /** The mark says that what the file shows was made here, as it says of a new one. */
  function isMarkedLocal({ oid, holding, retiredBase }: CacheNode): boolean {
    const base = retiredBase ?? tree.visible.object(oid)?.contentVersion;
    return holding.state === "local" && base !== undefined && isSameVersion(holding.base, base);
  }

  function logWritten(node: CacheNode, fd: number): void {
    node.unlogged.loggingWritten(fd, (found) => logContent(context, node, undefined, found));
  }

  return {
    open(id, flags, caller, isArrivingServed = false) {
      const node = nodes.get(id);
      if (isForWriting(flags)) node.writer = actors.of(caller);
      if (!mustFetch(node, flags)) return openNow(node, flags);
      const isRead = isArrivingServed && mayArrive(node, flags);
      return isRead ? openArriving(node, flags) : openFetched(node, flags);
    },

    willWrite(id, fd, isUnseen, isNew = false) {
      const node = nodes.get(id);
      const isMarked = isNew || isMarkedLocal(node);
      if (!isMarked && isUnseen) markUnwritten(context, node);
      else if (!isMarked) markLocal(context, node);
      if (isUnseen) node.unlogged.watch(fd);
      else node.unlogged.add(fd);
      context.longWrites.note(node);
    },

    flush(id, fd) {
      logWritten(nodes.get(id), fd);
    },

    release(id, fd) {
      const node = nodes.get(id);
      if (node.arriving.has(fd)) {
        closeReader(node, fd);
        return false;
      }
      try {
        logWritten(node, fd);
      } catch (error) {
        context.owed.add(node, error);
        release(node, fd);
        throw error;
      }
      return release(node, fd);
    },

    async fsync(id, fd, dataOnly) {
      const node = nodes.get(id);
      noteSync(context, node);
      tree.marks.writeLate(node);
      // fdatasync(2) need not carry the mark that says what the data is.
      if (dataOnly && !node.isMarkDirty) await syncData(fd);
      else await node.syncMark(() => syncAll(fd));
      await log.syncLog();
    },

    makeRoom: (bytes) => context.reclaim(bytes),

    async fsyncdir(id) {
      syncDirectory(nodes, nodes.get(id));
      await log.syncLog();
    },
  };
}

/** Changes the size of a file that nobody has open for it, and logs that. */
export function truncateNow(context: FilterContext, node: CacheNode, sizeBytes: number): void {
  const flags = constants.O_WRONLY | constants.O_NOFOLLOW;
  const fd = openSync(osPath(context.tree.nodes.pathOf(node)), flags);
  try {
    truncateOpen(context, node, fd, sizeBytes);
  } finally {
    closeSync(fd);
  }
  logContent(context, node);
}

/**
 * Changes the size of an open file. A placeholder is marked only afterwards: were it the other way
 * round, a failure would leave its zeros marked as content.
 */
export function truncateOpen(
  context: FilterContext,
  node: CacheNode,
  fd: number,
  sizeBytes: number,
): void {
  node.generation += 1;
  context.longWrites.note(node);
  if (node.isPresent) markLocal(context, node);
  ftruncateSync(fd, sizeBytes);
  if (!node.isPresent) markLocal(context, node);
}

/**
 * Proves that tree = index = replay = contents: the log is checked byte by byte and replayed from its
 * first record into memory, and what comes out is compared with the index and with what stands on disk.
 * `izo verify` calls it, for a stopped export and for one that is being served. Reads only.
 *
 * The tree of a served export moves on meanwhile. So what differs is looked at again, with the records
 * that have come since, until it is equal or has stayed different while nothing happened to it.
 */

import { existsSync } from "node:fs";
import { basename, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import {
  KmlDamageError,
  KmlVersionError,
  NO_RECNO,
  openKmlReader,
  type Recno,
  RecnoNotInLogError,
  verifyLog,
} from "@izo/core";
import { nodeDisk } from "@izo/sys";

import { connectServer, ServerNotAnsweringError } from "../control/connect-control.ts";
import { CommittedIndex } from "../db/committed-index.ts";
import { describeDamage } from "../db/index-damage.ts";
import { readHead } from "../db/index-head.ts";
import { readIntents } from "../export/apply/intents.ts";
import { sha256 } from "../export/open-fileset.ts";
import { findStateDirectory, type StateDirectory } from "../export/state-directory.ts";
import { readIgnoreNote } from "../export/tree/ignore-note.ts";
import { heldFd, openRoot } from "../export/tree/tree-directory.ts";
import { readAnchor } from "../log/anchor-store.ts";
import { AlreadyServedError, lockInstance } from "../log/instance-lock.ts";
import { AnchorMissingError, findAnchor } from "../log/start-from-anchor.ts";
import { checkRetained } from "./check-retained.ts";
import { compareIndex } from "./compare-index.ts";
import {
  compareAgain,
  compareTree,
  type PlacedDifference,
  type TreeComparison,
} from "./compare-tree.ts";
import type { Difference } from "./difference.ts";
import { ReplayedLog } from "./replayed-log.ts";

export interface InspectOptions {
  /** The exported directory. */
  readonly dir: string;
  /** `rootfset` by default. */
  readonly filesetName?: string;
  /** Compare stats only: hash neither files nor old contents. */
  readonly isQuick?: boolean;
  readonly onProgress?: (progress: InspectProgress) => void;
  /** Called with each difference as soon as it is sure. */
  readonly onDifference?: (difference: Difference) => void;
  readonly signal?: AbortSignal;
}

/** How far an inspection is: records of the log first, then names of the tree. */
export interface InspectProgress {
  readonly of: "log" | "tree";
  readonly done: number;
  /** Bytes compared, of the tree. */
  readonly bytes: number;
}

export interface Inspection {
  /** None is what it should give. */
  readonly differences: readonly Difference[];
  /** What is no difference, and worth knowing. */
  readonly notices: readonly string[];
  /** The last record of the log, and the first that it still holds. */
  readonly headRecno: Recno;
  readonly oldestRecno: Recno;
  /** Names of the tree that were compared. */
  readonly entries: number;
  readonly bytes: number;
  readonly isServed: boolean;
}

/** A served export has settled what a program did after at most a few seconds. */
const LOOKS_AGAIN = 12;
const LOOK_AGAIN_MS = 400;

/** How often a log that is served may be cut while it is read. */
const MOST_STARTS = 8;

/** @throws ExportError where nothing was ever served from the directory; KmlVersionError */
export async function inspectExport(options: InspectOptions): Promise<Inspection> {
  const dir = resolve(options.dir);
  const paths = findStateDirectory(dir, options.filesetName ?? "rootfset");
  using lock = tryLock(paths, dir);
  return await new Inspector(dir, paths, lock === null, options).run();
}

function tryLock(paths: StateDirectory, dir: string): Disposable | null {
  try {
    return lockInstance(paths.lock, dir);
  } catch (error) {
    if (error instanceof AlreadyServedError) return null;
    throw error;
  }
}

class Inspector {
  readonly #dir: string;
  readonly #paths: StateDirectory;
  readonly #isServed: boolean;
  readonly #options: InspectOptions;
  readonly #signal: AbortSignal;
  #log = new ReplayedLog();
  readonly #differences: Difference[] = [];
  readonly #notices: string[] = [];
  #oldest = 1 as Recno;
  #entries = 0;
  #bytes = 0;

  constructor(dir: string, paths: StateDirectory, isServed: boolean, options: InspectOptions) {
    this.#dir = dir;
    this.#paths = paths;
    this.#isServed = isServed;
    this.#options = options;
    this.#signal = options.signal ?? new AbortController().signal;
  }

  async run(): Promise<Inspection> {
    try {
      await this.#startingAnew(() => {
        for (const _ of verifyLog(nodeDisk, this.#paths.kml, sha256)) this.#signal.throwIfAborted();
      });
      using index = this.#openIndex();
      if (index !== null) await this.#startingAnew(() => this.#compareIndex(index));
      await this.#replayToHead();
      await this.#compareTree(index);
      if (this.#options.isQuick !== true) await this.#checkRetained();
    } catch (error) {
      if (!(error instanceof KmlDamageError) || error instanceof KmlVersionError) throw error;
      // What the log says cannot be known, so nothing can be compared with it.
      this.#differ({
        path: `kml/${String(error.data["segment"])}`,
        between: "log",
        cause: "damaged",
        found: error.message,
        since: null,
      });
    }
    return {
      differences: this.#differences,
      notices: this.#notices,
      headRecno: this.#log.head,
      oldestRecno: this.#oldest,
      entries: this.#entries,
      bytes: this.#bytes,
      isServed: this.#isServed,
    };
  }

  #differ(difference: Difference): void {
    this.#differences.push(difference);
    this.#options.onDifference?.(difference);
  }

  /** Whoever serves the export may cut the front off its log at any moment: it is read anew then. */
  async #startingAnew(read: () => void): Promise<void> {
    for (let start = 1; ; start += 1) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        if (this.#log.head === NO_RECNO) await this.#startLog();
        read();
        return;
      } catch (error) {
        if (!this.#isServed || start === MOST_STARTS || !mayBeCut(error)) throw error;
        this.#log = new ReplayedLog();
      }
    }
  }

  async #replayToHead(): Promise<void> {
    await this.#startingAnew(() => this.#replayTo(Infinity as Recno));
  }

  /** @throws AnchorMissingError, AnchorDamagedError */
  async #startLog(): Promise<void> {
    const reader = openKmlReader(nodeDisk, this.#paths.kml, sha256);
    const anchor = await findAnchor(this.#paths.anchors, reader);
    if (anchor !== undefined) await this.#log.start(await readAnchor(anchor));
  }

  #replayTo(upTo: Recno): void {
    const reader = openKmlReader(nodeDisk, this.#paths.kml, sha256);
    this.#oldest = reader.oldest;
    for (const recno of this.#log.advance(reader, upTo)) {
      if (recno % 1_000 === 0) this.#progress("log", recno);
    }
  }

  /** Null where it cannot be read; what is wrong with it is a difference then. */
  #openIndex(): CommittedIndex | null {
    const { index: path } = this.#paths;
    let reason: string | null = existsSync(path) ? null : "it is missing";
    try {
      if (reason === null) {
        const index = new CommittedIndex(path);
        reason = describeDamage(index.connection, this.#options.isQuick === true);
        if (reason === null) return index;
        index[Symbol.dispose]();
      }
    } catch (error) {
      reason = (error as Error).message;
    }
    this.#differIndex(`it cannot be used: ${reason}`);
    return null;
  }

  #differIndex(found: string): void {
    const between = "log and index";
    this.#differ({ path: "index.sqlite", between, cause: "damaged", found, since: null });
  }

  /** One read transaction: while it is open the index stands still, whoever serves the export. */
  #compareIndex(index: CommittedIndex): void {
    index.connection.exec("BEGIN");
    try {
      const head = readHead(index.connection);
      const log = openKmlReader(nodeDisk, this.#paths.kml, sha256);
      if (head === undefined || head.fileset !== this.#paths.filesetId) {
        this.#differIndex("it is the index of another fileset");
        return;
      }
      const { recno } = head.position;
      if (recno > log.lastRecno || log.positionAt(recno).hash !== head.position.hash) {
        const stands = `it stands at record ${recno} of another log; this one ends at ${log.lastRecno}`;
        this.#differIndex(stands);
        return;
      }
      this.#replayTo(recno);
      if (log.lastRecno > recno && !this.#isServed) {
        const behind = log.lastRecno - recno;
        this.#notices.push(`the index is ${behind} records behind: the next start brings it up`);
      }
      for (const difference of compareIndex(this.#log, index)) this.#differ(difference);
    } finally {
      index.connection.exec("ROLLBACK");
    }
  }

  async #compareTree(index: CommittedIndex | null): Promise<void> {
    if (!this.#isServed && (await readIntents(this.#paths.intents)).length > 0) {
      const advice = "the next start finishes or undoes it";
      this.#notices.push(`a crash has cut off a batch of changes: ${advice}`);
    }
    using root = heldFd(openRoot(this.#dir));
    const comparison: TreeComparison = {
      log: this.#log,
      rootFd: root.fd,
      ignore: readIgnoreNote(this.#paths.ignore),
      notes: index?.notes,
      isQuick: this.#options.isQuick === true,
      signal: this.#signal,
      onEntry: (sizeBytes) => {
        this.#entries += 1;
        this.#bytes += sizeBytes;
        this.#progress("tree", this.#entries);
      },
    };
    const doubtful: PlacedDifference[] = [];
    for await (const placed of compareTree(comparison)) {
      if (this.#isServed) doubtful.push(placed);
      else this.#differ(placed.difference);
    }
    await this.#lookAgain(comparison, doubtful);
  }

  async #lookAgain(comparison: TreeComparison, doubtful: PlacedDifference[]): Promise<void> {
    let left = doubtful;
    for (let look = 0; look < LOOKS_AGAIN && left.length > 0; look += 1) {
      // oxlint-disable-next-line no-await-in-loop -- the time is what is given to the server
      await sleep(LOOK_AGAIN_MS, undefined, { signal: this.#signal });
      // oxlint-disable-next-line no-await-in-loop
      await this.#settle();
      // oxlint-disable-next-line no-await-in-loop
      await this.#replayToHead();
      const still: PlacedDifference[] = [];
      for (const { place } of left) {
        // oxlint-disable-next-line no-await-in-loop -- one file is hashed at a time
        const difference = await compareAgain(
          { ...comparison, log: this.#log, onEntry: () => {} },
          place,
        );
        if (difference !== null) still.push({ place, difference });
      }
      left = still;
    }
    for (const { difference } of left) this.#differ(difference);
  }

  /** However busy it is, the server has then looked at what was changed before. */
  async #settle(): Promise<void> {
    try {
      await connectServer(this.#dir, basename(this.#paths.path)).settle();
    } catch (error) {
      // Whoever holds the lock answers no questions, or has just ended: time is all that it is given.
      if (!(error instanceof ServerNotAnsweringError)) throw error;
    }
  }

  async #checkRetained(): Promise<void> {
    for await (const difference of checkRetained(this.#paths.objects, this.#signal)) {
      this.#differ(difference);
    }
  }

  #progress(of: InspectProgress["of"], done: number): void {
    this.#options.onProgress?.({ of, done, bytes: this.#bytes });
  }
}

/** A segment, an anchor, or a place in the log that was there a moment ago. */
function mayBeCut(error: unknown): boolean {
  if (error instanceof RecnoNotInLogError || error instanceof AnchorMissingError) return true;
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

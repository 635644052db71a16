/**
 * The client's own KML: what was done here and is not acknowledged yet (design §2, C5).
 *
 * `LocalReplica` is its only user. A record survives `kill -9` as soon as `append` returns, and a power
 * cut after the next sync, which comes at least every two seconds (design C6). The log of each peer id
 * is a directory of its own, `kml/<peer>`; the file `sysid` says which one counts, so that a change of
 * identity is one rename. The worst outcome of a crash is the loss of the last two seconds' records.
 */

import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

import {
  KmlAppendError,
  KmlBrokenError,
  NO_CHECK,
  openKmlLog,
  segmentName,
  type Actor,
  type Disk,
  type FilesetId,
  type HashFunction,
  type KmlLog,
  type KmlRecord,
  type Operation,
  type PeerId,
  type PendingRecord,
  type Recno,
  type TimeNs,
} from "@izo/core";

import { makePeerId, readPeerId, writePeerId } from "./peer-id.ts";

/**
 * Room behind the log that only removals may use: on a full disk files can be removed, which is how it
 * gets space again. Some 200 records; taken anew as soon as there is space.
 */
const REMOVAL_ROOM_BYTES = 64 * 1024;

/** What needs no room of its own: it makes space, or takes back what did not happen. */
const FREEING: ReadonlySet<Operation["opcode"]> = new Set(["UNLINK", "RMDIR", "CANCELLED"]);

/** A record may be unsynced for this long, which is what a power cut can take (design C6). */
const SYNC_EVERY_MS = 2_000;

export interface OwnLogOptions {
  readonly cacheDir: string;
  readonly disk: Disk;
  readonly fileset: FilesetId;
  readonly hash: HashFunction;
  readonly nowNs: () => TimeNs;
  /**
   * Makes the index durable, with each sync: records name versions of the server's, and the index knows
   * what those are. Without it a log could come back from a power cut that builds on an empty tree.
   */
  readonly syncIndex: () => Promise<void>;
  /** A sync that nobody waits for has failed: the log takes no more records until it is opened again. */
  readonly onSyncFailed: (error: unknown) => void;
}

/** What is recorded, by whom, and when they did it; without a time it happens now. */
export interface OwnEntry {
  readonly operation: Operation;
  readonly actor: Actor;
  readonly authorTimeNs?: TimeNs;
}

type Cancelled = Extract<Operation, { opcode: "CANCELLED" }>;

/** Who asks for what InterSync itself writes into the own log. */
export const INTERSYNC: Actor = { uid: 0, gid: 0, groups: [], command: "" };

export class OwnLog implements AsyncDisposable {
  readonly #options: OwnLogOptions;
  #peer: PeerId;
  #kml: KmlLog;
  #lastTimeNs: TimeNs = 0n;
  #syncTimer: NodeJS.Timeout | null = null;
  /** Cancellations that the disk did not take yet. */
  #owed: Cancelled[] = [];

  private constructor(options: OwnLogOptions, peer: PeerId, kml: KmlLog) {
    this.#options = options;
    this.#peer = peer;
    this.#kml = kml;
  }

  /** Opens the own log of a cache, or starts one under a new peer id. */
  static async open(options: OwnLogOptions): Promise<OwnLog> {
    const logs = join(options.cacheDir, "kml");
    mkdirSync(logs, { recursive: true, mode: 0o700 });
    const sysid = join(options.cacheDir, "sysid");
    let peer = readPeerId(sysid);
    if (peer === undefined) {
      peer = makePeerId();
      writePeerId(sysid, peer);
    }
    // The log of a former id, or of one that was never taken: a crash kept it from being removed.
    for (const name of readdirSync(logs)) {
      if (name !== peer) rmSync(join(logs, name), { recursive: true });
    }
    const log = new OwnLog(options, peer, await openLogOf(peer, options));
    // Of the last record: times of a log only grow.
    for (const last of log.#kml.read(Math.max(log.oldest - 1, log.head - 1) as Recno))
      log.#lastTimeNs = last.decode().logTimeNs;
    return log;
  }

  /** Who makes the records. */
  get peer(): PeerId {
    return this.#peer;
  }

  get head(): Recno {
    return this.#kml.head.recno;
  }

  /** The first record that is still here; one beyond the head while there is none. */
  get oldest(): Recno {
    return this.#kml.oldest;
  }

  /** Tells whether {@link truncate} would drop anything. */
  canTruncate(recno: Recno): boolean {
    const [first] = this.#kml.segments();
    return first !== undefined && first.isSealed && first.last < recno;
  }

  /** All records that are here, oldest first, and what would be here if the disk were not full. */
  *read(): Iterable<KmlRecord> {
    for (const scanned of this.#kml.read((this.#kml.oldest - 1) as Recno)) yield scanned.decode();
    for (const operation of this.#owed) yield this.#unlogged(operation);
  }

  /**
   * Appends records, all or none, into the page cache. A disk that has no room for the record that takes
   * one of them back refuses them: the operation then has not begun. What is owed goes before them.
   *
   * @throws what `KmlLog.append` throws
   */
  append(entries: readonly OwnEntry[]): KmlRecord[] {
    const owed = this.#owed.map((operation): OwnEntry => ({ operation, actor: INTERSYNC }));
    const records = [...owed, ...entries].map((entry, index) =>
      this.#recordOf(entry, this.#peer, (this.head + 1 + index) as Recno),
    );
    const isFreeing = entries.every(({ operation }) => FREEING.has(operation.opcode));
    this.#kml.append(records, isFreeing ? undefined : REMOVAL_ROOM_BYTES);
    this.#owed = [];
    this.#scheduleSync();
    return records.slice(owed.length);
  }

  /**
   * Takes a record back. Where the disk is full, which is when operations fail, that is owed: it is logged
   * before the next record that the disk takes, and nothing is sent before that. A crash until then leaves
   * the record: the operation is then done.
   *
   * @throws KmlBrokenError
   */
  cancel(recno: Recno): KmlRecord {
    const operation = { opcode: "CANCELLED", recno } as const;
    try {
      return this.append([{ operation, actor: INTERSYNC }])[0]!;
    } catch (error) {
      if (!(error instanceof KmlAppendError)) throw error;
      this.#owed.push(operation);
      return this.#unlogged(operation);
    }
  }

  /** Logs what is owed, so that the next record gets the number behind the head. @throws as {@link append} */
  payOwed(): void {
    if (this.#owed.length > 0) this.append([]);
  }

  /** Makes all records so far durable. */
  async sync(): Promise<void> {
    this.#cancelTimer();
    await Promise.all([this.#kml.sync(), this.#options.syncIndex()]);
  }

  /** Drops what lies before `recno`, as far as segments end there. */
  async truncate(recno: Recno): Promise<void> {
    await this.#kml.dropSegmentsBefore(recno);
  }

  /**
   * Goes on under a new peer id, with a log that holds exactly what `renumber` gives for it.
   *
   * From the call of `renumber` to the end of `renewed` nothing is awaited: no record can be made that
   * is in neither log. The new log is durable before `sysid` names it; until then the old one counts.
   */
  async renew(
    renumber: (peer: PeerId) => readonly PendingRecord[],
    renewed: () => void,
  ): Promise<void> {
    const { cacheDir, disk } = this.#options;
    const peer = makePeerId();
    const kml = await openLogOf(peer, this.#options);
    const former = { kml: this.#kml, peer: this.#peer };
    const records = renumber(peer).map((record) => this.#recordOf(record, peer, record.recno));
    if (records.length > 0) kml.append(records);
    for (const { first } of kml.segments()) {
      const file = disk.open(join(cacheDir, "kml", peer, segmentName(first)), "write");
      file.syncBlocking();
      file.close();
    }
    writePeerId(join(cacheDir, "sysid"), peer);
    this.#peer = peer;
    this.#kml = kml;
    this.#owed = [];
    renewed();
    await former.kml.close();
    rmSync(join(cacheDir, "kml", former.peer), { recursive: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.payOwed();
    } catch (error) {
      // That was the last chance; where the disk is full still, the records stay.
      if (!(error instanceof KmlAppendError || error instanceof KmlBrokenError)) throw error;
    }
    this.#cancelTimer();
    await this.#kml.close();
  }

  #recordOf({ operation, actor, authorTimeNs }: OwnEntry, peer: PeerId, recno: Recno): KmlRecord {
    const nowNs = this.#options.nowNs();
    if (nowNs > this.#lastTimeNs) this.#lastTimeNs = nowNs;
    return {
      recno,
      authorTimeNs: authorTimeNs ?? nowNs,
      logTimeNs: this.#lastTimeNs,
      origin: { peer, recno, check: NO_CHECK },
      actor,
      operation,
    };
  }

  /** A record that only takes another one back: nobody asks for the rest of it. */
  #unlogged(operation: Cancelled): KmlRecord {
    const { recno } = operation;
    const origin = { peer: this.#peer, recno, check: NO_CHECK };
    return { recno, authorTimeNs: 0n, logTimeNs: 0n, origin, actor: INTERSYNC, operation };
  }

  #scheduleSync(): void {
    this.#syncTimer ??= setTimeout(() => {
      this.#syncTimer = null;
      this.sync().catch((error: unknown) => this.#options.onSyncFailed(error));
    }, SYNC_EVERY_MS).unref();
  }

  #cancelTimer(): void {
    if (this.#syncTimer !== null) clearTimeout(this.#syncTimer);
    this.#syncTimer = null;
  }
}

function openLogOf(peer: PeerId, options: OwnLogOptions): Promise<KmlLog> {
  const { cacheDir, disk, fileset, hash } = options;
  return openKmlLog({ disk, dir: join(cacheDir, "kml", peer), fileset, peer, hash });
}

import {
  type ConflictReport,
  type FilesetId,
  type FilesetStatus,
  type KmlLog,
  type Oid,
  type PeerId,
  type PeerStanding,
  type PermitLease,
  type PermitRequest,
  type PermitStatus,
  type PolicyRule,
  type Position,
  type Recno,
  type SegmentInfo,
  type ServerRecord,
  type Sha256,
} from "@izo/core";

import { contentsBetween, sumRetained } from "../db/contents.ts";
import { countTracesBehind } from "../db/peers.ts";
import { sumFiles } from "../db/totals.ts";
import { countConflicts, listConflicts } from "./conflicts/list-conflicts.ts";
import {
  type ConflictResolution,
  type ConflictSides,
  conflictSides,
} from "./conflicts/plan-resolution.ts";
import { resolveConflict } from "./conflicts/resolve-conflict.ts";
import { findContent } from "./contents/find-content.ts";
import { SmallContents } from "./contents/small-contents.ts";
import { LogDivergedError } from "./errors.ts";
import type {
  Export,
  LogChunk,
  LogLimits,
  OpenContent,
  Push,
  PushResult,
  SegmentBytes,
  SmallContentReader,
  SupersededContent,
  Truncated,
  TruncateRequest,
  UploadState,
} from "./export.ts";
import type { ExportHistory } from "./history/export-history.ts";
import { LiveHistory } from "./history/live-history.ts";
import type { Snapshot } from "./history/snapshot.ts";
import { takeSnapshot } from "./history/take-snapshot.ts";
import { JobQueue } from "./job-queue.ts";
import type { Keeper } from "./keeper.ts";
import { LogChunks } from "./log-life/log-chunks.ts";
import type { LogRetention } from "./log-life/log-retention.ts";
import type { LogTruncation } from "./log-life/log-truncation.ts";
import type { PeerBook, TrailPoint } from "./peers/peer-book.ts";
import { standingOf } from "./peers/peer-standing.ts";
import { type PathEntry, pathEntry } from "./tree/path-entry.ts";

export interface LiveExportParts {
  readonly filesetName: string;
  readonly keeper: Keeper;
  readonly log: KmlLog;
  readonly retention: LogRetention;
  readonly peers: PeerBook;
  readonly truncation: LogTruncation;
  /** What has to be closed with the export, all of the above among it. */
  readonly held: AsyncDisposable;
}

/** The {@link Export} that is served: reads by itself, and hands every change to the {@link Keeper}. */
export class LiveExport implements Export {
  readonly filesetName: string;
  readonly history: ExportHistory;
  readonly #keeper: Keeper;
  readonly #log: KmlLog;
  readonly #chunks: LogChunks;
  readonly #retention: LogRetention;
  readonly #peers: PeerBook;
  readonly #truncation: LogTruncation;
  readonly #held: AsyncDisposable;
  readonly #resolutions = new JobQueue();

  constructor({ filesetName, keeper, log, retention, peers, truncation, held }: LiveExportParts) {
    this.filesetName = filesetName;
    this.#keeper = keeper;
    this.#log = log;
    this.#chunks = new LogChunks(log, () => this.headPosition);
    this.#retention = retention;
    this.#peers = peers;
    this.#truncation = truncation;
    this.#held = held;
    const { committed, paths } = keeper.fileset;
    this.history = new LiveHistory({
      connection: committed.connection,
      indexPath: paths.index,
      log,
      head: () => this.headPosition.recno,
    });
  }

  get stateDirectory(): string {
    return this.#keeper.fileset.paths.path;
  }

  get filesetId(): FilesetId {
    return this.#keeper.fileset.paths.filesetId;
  }

  get serverPeer(): PeerId {
    return this.#keeper.fileset.peer;
  }

  get ignored(): readonly string[] {
    return this.#keeper.fileset.ignore.patterns;
  }

  get conflictPolicies(): readonly PolicyRule[] {
    return this.#keeper.fileset.conflictPolicies;
  }

  get heldRemovalPercent(): number {
    return this.#keeper.fileset.heldRemovalPercent;
  }

  get headPosition(): Position {
    return this.#keeper.fileset.ledger.position;
  }

  get oldestRecno(): Recno {
    return this.#log.oldest;
  }

  async waitForRecno(
    after: Recno,
    timeoutMs: number,
    signals?: readonly AbortSignal[],
  ): Promise<Position> {
    await this.#keeper.waiters.until(after, timeoutMs, signals);
    return this.headPosition;
  }

  readLog(after: Position, limits: LogLimits): LogChunk {
    try {
      return this.#chunks.read(after, limits);
    } catch (error) {
      if (error instanceof LogDivergedError) this.#noteDivergence(after);
      throw error;
    }
  }

  positionAt(recno: Recno): Position {
    return this.#chunks.positionAt(recno);
  }

  segments(): readonly SegmentInfo[] {
    return this.#log.segments();
  }

  openSegment(first: Recno): SegmentBytes | undefined {
    const segment = this.#log.segments().find((one) => one.first === first);
    if (segment === undefined || !segment.isSealed) return undefined;
    if (segment.last > this.headPosition.recno) return undefined;
    return {
      sizeBytes: segment.sizeBytes,
      read: (start, end) => this.#log.readSegment(first, start, end),
    };
  }

  snapshot(peer?: PeerId): Snapshot {
    const { index } = this.#keeper.fileset.paths;
    return takeSnapshot(index, this.#log.oldest, this.#truncation, peer);
  }

  reintegrate(push: Push): Promise<readonly PushResult[]> {
    this.#peers.note(push.peer, push.host, undefined);
    return this.#keeper.push(push);
  }

  openContent(sha256: Sha256): Promise<OpenContent | SupersededContent | null> {
    return findContent(this.#keeper, sha256);
  }

  readSmall(sha256: Sha256): Uint8Array | null {
    return this.#keeper.contents.readSmall(sha256);
  }

  smallContents(): SmallContentReader {
    return new SmallContents(this.#keeper.fileset);
  }

  presentContents(after: Recno, until: Recno, maxBytes: number): Sha256[] {
    const { connection } = this.#keeper.fileset.committed;
    return contentsBetween(connection, { after, until, maxBytes });
  }

  missingContents(hashes: Iterable<Sha256>): ReadonlySet<Sha256> {
    return new Set([...hashes].filter((sha256) => !this.#keeper.contents.has(sha256)));
  }

  uploadOffset(sha256: Sha256, sender: string | null = null): UploadState {
    return this.#keeper.contents.uploadState(sha256, sender);
  }

  upload(
    sha256: Sha256,
    body: AsyncIterable<Uint8Array>,
    range: { readonly offsetBytes: number; readonly totalBytes: number },
    sender: string | null = null,
  ): Promise<UploadState> {
    return this.#keeper.contents.upload(sha256, body, range, sender);
  }

  stageInline(sha256: Sha256, bytes: Uint8Array): void {
    this.#keeper.contents.stageInline(sha256, bytes);
  }

  lookUp(path: string): PathEntry | null {
    return pathEntry(this.#keeper.fileset.committed.state, path);
  }

  async permit(request: PermitRequest, signal: AbortSignal): Promise<PermitLease | null> {
    const { permits } = this.#keeper.fileset;
    switch (request.action) {
      case "take": {
        const serially = <T>(job: () => T): Promise<T> => this.#keeper.run(job);
        return permits.take(request, request.waitSeconds * 1000, serially, signal);
      }
      case "renew":
        return permits.renew(request.peer, request, request.waitSeconds * 1000, signal);
      case "hand-back":
        permits.handBack(request.peer, request);
        return null;
    }
  }

  permits(): readonly PermitStatus[] {
    return this.#keeper.fileset.permits.list();
  }

  notePeer(peer: PeerId, host: string, replayed: Recno): void {
    this.#peers.note(peer, host, replayed);
  }

  peers(): PeerStanding[] {
    const { connection } = this.#keeper.fileset.committed;
    const nowMs = this.#keeper.nowMs();
    const log = { headRecno: this.headPosition.recno, oldestRecno: this.oldestRecno };
    return this.#peers.list().map((peer) =>
      standingOf(peer, log, {
        seenAfterMs: nowMs - this.#retention.peerMs,
        ageAfterMs: (recno) => this.#ageAfter(recno, nowMs),
        countTracesBehind: (recno) => countTracesBehind(connection, peer.peer, recno),
      }),
    );
  }

  truncate(request: TruncateRequest): Promise<Truncated> {
    return this.#truncation.truncate(request);
  }

  forgetPeer(peer: PeerId): Promise<void> {
    return this.#keeper.run(() => this.#peers.forget(peer));
  }

  confirmRemoval(): Promise<void> {
    return this.#keeper.rescan(true);
  }

  rescan(): Promise<void> {
    return this.#keeper.rescan(false);
  }

  conflicts(): readonly ConflictReport[] {
    const { connection, state } = this.#keeper.fileset.committed;
    return listConflicts({
      connection,
      state,
      hasContent: (sha256) => this.#keeper.contents.has(sha256),
      recordsFrom: (recno) => this.#recordsFrom(recno),
    });
  }

  countConflicts(): number {
    const { connection, state } = this.#keeper.fileset.committed;
    return countConflicts(connection, state);
  }

  conflictSides(copy: Oid): ConflictSides | undefined {
    return conflictSides(copy, this.#keeper.fileset.committed.state);
  }

  /** One after another: the page's records are numbered on from the last that the log holds. */
  resolveConflict(resolution: ConflictResolution): Promise<void> {
    return this.#resolutions.run(() => resolveConflict(this.#keeper, resolution));
  }

  recordsBehind(after: Recno, limitRecords: number): readonly ServerRecord[] {
    const from = Math.max(after, this.#log.oldest - 1) as Recno;
    const upTo = this.headPosition.recno;
    return Array.from(
      this.#log.read(from, { limitRecords, upTo }),
      (scanned) => scanned.decode() as ServerRecord,
    );
  }

  peerTrail(peer: PeerId): readonly TrailPoint[] {
    return this.#peers.trail(peer);
  }

  settle(): Promise<void> {
    return this.#keeper.settled();
  }

  status(): FilesetStatus {
    const { connection } = this.#keeper.fileset.committed;
    return {
      filesetName: this.filesetName,
      filesetId: this.filesetId,
      serverPeer: this.serverPeer,
      headRecno: this.headPosition.recno,
      oldestRecno: this.oldestRecno,
      ...sumFiles(connection),
      logBytes: this.#log.segments().reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      oldContents: sumRetained(connection),
      peers: this.#peers
        .list()
        .filter(({ forgottenMs }) => forgottenMs === null)
        .map(({ peer, host, receivedRecno, replayedRecno, lastSeenMs }) => ({
          peer,
          host,
          receivedRecno,
          replayedRecno,
          lastSeenMs,
        })),
      watching: this.#keeper.watching,
      heldRemoval: this.#keeper.heldRemoval,
      problems: this.#keeper.problems,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#truncation[Symbol.asyncDispose]();
    await this.#keeper.stop();
    this.#peers.save();
    await this.#held[Symbol.asyncDispose]();
  }

  /** Age of the record behind this one, by its log time. */
  #ageAfter(recno: Recno, nowMs: number): number {
    for (const scanned of this.#log.read(recno, { limitRecords: 1 })) {
      const { logTimeNs } = scanned.decode();
      return Math.max(0, nowMs - Number(logTimeNs / 1_000_000n));
    }
    return 0;
  }

  /** Records of the log from one on; none where it was cut off. */
  *#recordsFrom(recno: Recno): Iterable<ServerRecord> {
    if (recno < this.#log.oldest) return;
    const upTo = this.headPosition.recno;
    for (const scanned of this.#log.read((recno - 1) as Recno, { upTo })) {
      yield scanned.decode() as ServerRecord;
    }
  }

  /** The server cannot know by itself that it came from a backup: its clients can. */
  #noteDivergence({ recno }: Position): void {
    this.#keeper.fileset.noteProblem({
      path: "the log",
      message: `a client has replayed record ${recno} of a log that went on differently: was this export restored from a backup? See docs/recovery.md`,
    });
  }
}

/**
 * An exported directory as its users see it: routes, the command line and tests. Nothing that comes
 * out of here is beyond the durable recno (design S1): a crash cannot take back what was shown.
 *
 * `openExport` makes one. It is the only code that changes the tree, the log and the index; one queue
 * inside runs all changes one after another, everything else reads.
 */

import type {
  ConflictReport,
  FilesetId,
  FilesetStatus,
  InlineContent,
  Oid,
  Outcome,
  OutcomeReason,
  PeerId,
  PeerStanding,
  PermitFence,
  PermitLease,
  PermitRequest,
  PermitStatus,
  PolicyRule,
  Position,
  PushHead,
  Recno,
  Revival,
  SegmentInfo,
  ServerRecord,
  Sha256,
} from "@izo/core";

import type { ConflictResolution, ConflictSides } from "./conflicts/plan-resolution.ts";
import type { ExportHistory } from "./history/export-history.ts";
import type { Snapshot } from "./history/snapshot.ts";
import type { TrailPoint } from "./peers/peer-book.ts";
import type { PathEntry } from "./tree/path-entry.ts";

export interface Export extends AsyncDisposable {
  readonly filesetName: string;
  readonly filesetId: FilesetId;
  readonly serverPeer: PeerId;
  /** By which it judges what is in conflict; what is built in stands behind them. */
  readonly conflictPolicies: readonly PolicyRule[];
  /** A push that removes more than so many percent of the names has to be confirmed; with 100 none has. */
  readonly heldRemovalPercent: number;
  /** Patterns of what is left out; not for clients, to whom they would name it. */
  readonly ignored: readonly string[];
  /** Where the fileset keeps what it knows; the control socket is there. */
  readonly stateDirectory: string;
  /** Durable in the log and committed in the index. */
  readonly headPosition: Position;
  /** The first record that the log still holds; one beyond the head while there is none. */
  readonly oldestRecno: Recno;

  /**
   * Resolves with the head as soon as it is beyond `after`, at once where it already is, and with the
   * head as it stands when the time is over or the signal aborts.
   */
  waitForRecno(
    after: Recno,
    timeoutMs: number,
    signals?: readonly AbortSignal[],
  ): Promise<Position>;

  /**
   * Records behind a position.
   *
   * @throws LogTruncatedError when they were cut off; LogDivergedError when `after` is not a position
   *   of this log, or lies beyond its head
   */
  readLog(after: Position, limits: LogLimits): LogChunk;
  /**
   * The place behind a record, for those who know only its number (content packs).
   *
   * @throws LogTruncatedError when it was cut off; RecnoNotInLogError when it lies beyond the head
   */
  positionAt(recno: Recno): Position;
  segments(): readonly SegmentInfo[];
  /** A sealed segment: the same bytes for ever; undefined where there is none with this first recno. */
  openSegment(first: Recno): SegmentBytes | undefined;

  /** The tree at one durable position. The records behind it stay in the log until it is disposed. */
  snapshot(peer?: PeerId): Snapshot;

  /**
   * Judges, applies and logs the records of a client, in their order. Resolves when all of them are
   * durable; each record has taken effect exactly once, whatever was sent before (design P1).
   *
   * @throws PermitPassedOnError, PeerDivergedError, MassRemovalError, ContentMissingError, NoSpaceError;
   *   ProblemError `out-of-scope`, before anything is done. What was done before a NoSpaceError stays done; the same push again goes on from there.
   */
  reintegrate(push: Push): Promise<readonly PushResult[]>;

  /**
   * The content with this hash, or the record that replaced the last object that had it, or null
   * where the fileset does not know of it.
   */
  openContent(sha256: Sha256): Promise<OpenContent | SupersededContent | null>;

  /**
   * All bytes of a content of at most 64 KiB, read at once; null where it is not here, or not to be had
   * without waiting.
   */
  readSmall(sha256: Sha256): Uint8Array | null;

  /** Reads many of them for one client. */
  smallContents(): SmallContentReader;

  /**
   * Contents of at most `maxBytes` that objects have now and got from one of the records `after` + 1 to
   * `until`, whether the log still holds those or not.
   */
  presentContents(after: Recno, until: Recno, maxBytes: number): Sha256[];
  /** The hashes among these for which a push would need an upload. */
  missingContents(hashes: Iterable<Sha256>): ReadonlySet<Sha256>;

  /**
   * How much of an upload is here already: 0 for none, the whole size once it is complete.
   *
   * @param sender whose upload it is, where tokens tell; null for anybody's
   */
  uploadOffset(sha256: Sha256, sender?: string | null): UploadState;
  /**
   * Goes on with an upload at `offsetBytes`; with `totalBytes` reached the hash is checked and the
   * content counts, durable, from then on. What came before a cut connection stays.
   *
   * @throws UploadOffsetError when it does not go on there; WrongHashError (the upload starts anew);
   *   NoSpaceError
   */
  upload(
    sha256: Sha256,
    body: AsyncIterable<Uint8Array>,
    range: { readonly offsetBytes: number; readonly totalBytes: number },
    sender?: string | null,
  ): Promise<UploadState>;
  /** Takes a small content whole, which is durable when a record is that names it. @throws WrongHashError, NoSpaceError */
  stageInline(sha256: Sha256, bytes: Uint8Array): void;

  /** The tree as it was. */
  readonly history: ExportHistory;

  /** What stands at a path of the tree as logged, `/a/b`; `/` is the root. Null where nothing does. */
  lookUp(path: string): PathEntry | null;

  /**
   * Takes, renews or hands back a permit; answers with the lease, or null where that has ended.
   *
   * @throws PermitHeldError, PermitPassedOnError, UnknownDirectoryError
   */
  permit(request: PermitRequest, signal: AbortSignal): Promise<PermitLease | null>;

  /** Who holds which permit. */
  permits(): readonly PermitStatus[];

  /** Remembers that a peer asked for what follows `replayed`: records behind it are kept for a time. */
  notePeer(peer: PeerId, host: string, replayed: Recno): void;

  /** The peers that ever were here, beside the log. */
  peers(): readonly PeerStanding[];
  /** Nothing is kept for this peer any more, until it comes back. @throws UnknownPeerError */
  forgetPeer(peer: PeerId): Promise<void>;
  /** The conflicts that stand, in the order of their paths. */
  conflicts(): readonly ConflictReport[];

  /** How many they are: much quicker, as nothing is looked up in the log. */
  countConflicts(): number;
  /** The two sides of a conflict as they are now; undefined where it does not stand. */
  conflictSides(copy: Oid): ConflictSides | undefined;
  /**
   * Carries out a decision about a conflict by ordinary records, as any client would.
   *
   * @throws CannotResolveError where it was not what was decided on any more; what `reintegrate` throws
   */
  resolveConflict(resolution: ConflictResolution): Promise<void>;

  /** Records behind one that the log holds, without the proof of a position: for people. */
  recordsBehind(after: Recno, limitRecords: number): readonly ServerRecord[];
  /** How far a peer had replayed at which time, since the server was started; oldest first. */
  peerTrail(peer: PeerId): readonly TrailPoint[];

  /** Cuts the front off the log. @throws what the disk says; the log is whole from its new front on */
  truncate(request: TruncateRequest): Promise<Truncated>;

  /** Logs the removals that the last scan has held, as they are on disk now. */
  confirmRemoval(): Promise<void>;
  /** Scans again: what is back on disk is not missed any more. */
  rescan(): Promise<void>;

  /** Resolves when what programs in the directory have done is logged, but for files too young to be, or too large. */
  settle(): Promise<void>;

  /** What `izo status URL` shows. */
  status(): FilesetStatus;
}

/** What an administrator wants to have cut off; what is kept by policy where neither limit is given. */
export interface TruncateRequest {
  /** Records from this one on stay. */
  readonly before?: Recno;
  /** Records younger than this stay. */
  readonly olderThanMs?: number;
  /** Say what would go, and let it stay. */
  readonly isDryRun: boolean;
}

/** What was cut off, or would be. Records go by whole segments. */
export interface Truncated {
  /** The first record that is left. */
  readonly oldestRecno: Recno;
  readonly removedRecords: number;
  readonly removedBytes: number;
  /** A peer that still needs what else would have gone; null for none. */
  readonly heldBy: PeerId | null;
  readonly isDryRun: boolean;
}

export interface LogLimits {
  readonly limitRecords?: number;
  readonly limitBytes?: number;
}

/** Consecutive records, as encoded and decoded on demand. */
export interface LogChunk {
  /** The encoded records, one after another. */
  readonly bytes: Uint8Array;
  readonly count: number;
  /** The position behind the last of them; `after` itself when there are none. */
  readonly last: Position;
  records(): Iterable<ServerRecord>;
  /** The same, each with the position behind it. */
  steps(): Iterable<{ readonly record: ServerRecord; readonly position: Position }>;
}

export interface SegmentBytes {
  readonly sizeBytes: number;
  read(start: number, end: number): Uint8Array;
}

export interface Push extends PushHead {
  /** Those under which the records were made. */
  readonly permits?: readonly PermitFence[];
  /** Objects that they bring back under their ids. */
  readonly revivals?: readonly Revival[];
  /** A person has confirmed that this may remove nearly everything. */
  readonly isRemovalConfirmed?: boolean;
  /** Its author may change what is below this path only; all where it is missing. */
  readonly below?: string;
  /** Name of the author's host, for the names of conflict copies. */
  readonly host: string;
}

/** What became of one record; the trace in the log says the same. */
export interface PushResult {
  readonly originRecno: Recno;
  readonly verdict: Outcome["verdict"];
  readonly reason: OutcomeReason | null;
  readonly trace: Recno;
}

/**
 * Content that can be read now, from the exported file itself: its stat is compared with the index
 * before the first byte and again before the last is given out (design S5).
 */
export interface OpenContent extends AsyncDisposable {
  readonly kind: "open";
  readonly sizeBytes: number;
  /** Bytes `[start, end)`, in pieces. @throws ContentChangedError when the file is not what it was */
  read(start?: number, end?: number): AsyncIterable<Uint8Array>;
}

/** Contents of at most `maxBytes` that objects have now and got from one of the records `after` + 1 to `until`. */
export interface ContentRange {
  readonly after: Recno;
  readonly until: Recno;
  readonly maxBytes: number;
}

/** Reads small contents of the tree, and holds what they lie in open meanwhile. One question at a time. */
export interface SmallContentReader extends Disposable {
  /**
   * The contents of a range that are in the tree as noted, some at a time, equal ones more than once; what is missing
   * has to be looked for by {@link read}. It ends before this is disposed of.
   */
  between(range: ContentRange): AsyncGenerator<InlineContent[], void>;
  /** All bytes of a content of at most 64 KiB; null where it is not in the tree as noted, and has to be looked for. */
  read(sha256: Sha256): Promise<Uint8Array | null>;
}

export interface SupersededContent {
  readonly kind: "superseded";
  /**
   * Replay to here: the object has another content, or is gone, from this record on. While a program in
   * the export still writes to the file that is the next record to come, which may be about something else.
   */
  readonly recno: Recno;
}

export interface UploadState {
  readonly offsetBytes: number;
  readonly isComplete: boolean;
}

export type WatchMode = FilesetStatus["watching"];

export interface HeldRemoval {
  readonly removed: number;
  readonly objects: number;
}

/** A path that could not be done; nothing else is stopped by it. */
export interface Problem {
  readonly path: string;
  readonly message: string;
}

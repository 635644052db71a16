import type { PolicyRule } from "@izo/core";

import { type ContentRetention, DEFAULT_CONTENT_RETENTION } from "./contents/content-retention.ts";
import { noCrash, type CrashPoint } from "./crash-point.ts";
import type { Export, Problem } from "./export.ts";
import { Keeper } from "./keeper.ts";
import { LiveExport } from "./live-export.ts";
import { DEFAULT_LOG_RETENTION, type LogRetention } from "./log-life/log-retention.ts";
import { LogTruncation } from "./log-life/log-truncation.ts";
import type { LookProgress } from "./look/look-options.ts";
import { openFileset } from "./open-fileset.ts";
import { pagePeerOf } from "./peers/page-peer.ts";
import { PeerBook } from "./peers/peer-book.ts";

const HOUR_MS = 3_600_000;

export interface OpenExportOptions {
  /** The directory to export, in place. */
  readonly dir: string;
  /** `rootfset` by default. */
  readonly filesetName?: string;
  /** Told how far the scan at start is. */
  readonly onProgress?: (progress: LookProgress) => void;
  /** Ends the scan at start, with its reason as error; the next start goes on from what is settled. */
  readonly signal?: AbortSignal;
  /** Told of what happened at start that somebody should know: a damaged index, a torn log. */
  readonly onNotice?: (notice: string) => void;
  /** Told of what goes wrong while nobody waits for an answer. */
  readonly onError?: (error: unknown) => void;
  /** Log the removal that the last scan held (design S4). */
  readonly confirmsRemoval?: boolean;
  /** What becomes of the later of two truths, by path; behind them stands what is built in. */
  readonly conflictPolicies?: readonly PolicyRule[];
  /** A push that removes more than so many percent of the names has to be confirmed; 90 by default, 100 for none. */
  readonly heldRemovalPercent?: number;
  /** Patterns of what stays out of the fileset, as `.gitignore` has them; by default those of the last time. */
  readonly ignore?: readonly string[];
  readonly quietMs?: number;
  readonly writerQuietMs?: number;
  readonly gatherMs?: number;
  readonly retryMs?: number;
  readonly rescanMs?: number;
  readonly scanMs?: number;
  /** How long old contents are kept; what is not said is as by default. */
  readonly contentRetention?: Partial<ContentRetention>;
  /** How long records stay in the log; what is not said is as by default. */
  readonly logRetention?: Partial<LogRetention>;
  /** Time between two looks at whether the log can be cut. */
  readonly truncateEveryMs?: number;
  readonly segmentBytes?: number;
  /** How long a permit holds without being renewed; a minute by default. */
  readonly permitTermMs?: number;
  readonly nowNs?: () => bigint;
  /** For tests: called at each place where a crash leaves something different behind. */
  readonly reach?: CrashPoint;
}

/**
 * Opens a directory for export: recovers what a crash cut off, brings the index up to the log, scans
 * the tree, and watches it from then on.
 *
 * @throws ExportError, AlreadyServedError, KmlDamageError, KmlVersionError, ExportGoneError
 */
export async function openExport(options: OpenExportOptions): Promise<Export> {
  const { dir, filesetName = "rootfset", onNotice = () => {} } = options;
  const nowNs = options.nowNs ?? (() => BigInt(Date.now()) * 1_000_000n);
  const problems = new Map<string, Problem>();
  const { segmentBytes, permitTermMs, heldRemovalPercent } = options;
  await using cleanup = new AsyncDisposableStack();
  const opened = cleanup.use(
    await openFileset({
      dir,
      filesetName,
      nowNs,
      conflictPolicies: options.conflictPolicies ?? [],
      ...(options.ignore !== undefined && { ignore: options.ignore }),
      noteProblem: (problem) => problems.set(problem.path, problem),
      clearProblem: (path) => problems.delete(path),
      ...(segmentBytes !== undefined && { segmentBytes }),
      ...(heldRemovalPercent !== undefined && { heldRemovalPercent }),
      ...(permitTermMs !== undefined && { permitTermMs }),
    }),
  );
  const { putAside } = opened.index;
  if (putAside !== null) {
    onNotice(
      `the index was damaged (${putAside.reason}) and is rebuilt; it is kept as "${putAside.path}"`,
    );
  }
  if (opened.ignoredBefore !== null && opened.ignoredBefore.length > 0) {
    const [before, now] = [opened.ignoredBefore, opened.fileset.ignore.patterns].map(listPatterns);
    onNotice(
      `what is left out of the export has changed: it was ${before}, it is ${now}; what was left out and is not any more is exported from now on`,
    );
  }
  if (opened.intentsAside !== null) {
    onNotice(`intents of another log were found; they are kept as "${opened.intentsAside}"`);
  }
  const { tornTail } = opened.log;
  if (tornTail !== null) {
    onNotice(
      `${tornTail.cutBytes} bytes were cut off the end of ${tornTail.segment}: ${tornTail.reason}`,
    );
  }
  const damagedPermits = opened.fileset.permits.putAside;
  if (damagedPermits !== null) {
    onNotice(
      `the list of permits was damaged: none is granted before all that were are over; it is kept as "${damagedPermits}"`,
    );
  }
  const keeper = new Keeper(opened.fileset, problems, {
    quietMs: options.quietMs ?? 100,
    writerQuietMs: options.writerQuietMs ?? 2_000,
    gatherMs: options.gatherMs ?? 30,
    retryMs: options.retryMs ?? 1_000,
    rescanMs: options.rescanMs ?? HOUR_MS / 6,
    scanMs: options.scanMs ?? 5_000,
    contentRetention: { ...DEFAULT_CONTENT_RETENTION, ...options.contentRetention },
    reach: options.reach ?? noCrash,
    onError: options.onError ?? (() => {}),
  });
  cleanup.defer(() => keeper.stop());
  const { confirmsRemoval = false, onProgress, signal } = options;
  await keeper.start(confirmsRemoval, {
    ...(onProgress !== undefined && { onProgress }),
    ...(signal !== undefined && { signal }),
  });
  const retention = { ...DEFAULT_LOG_RETENTION, ...options.logRetention };
  const { committed, connection } = opened.fileset;
  const peers = new PeerBook(
    committed,
    connection,
    () => keeper.nowMs(),
    pagePeerOf(opened.fileset.peer),
  );
  const truncation = new LogTruncation({
    keeper,
    log: opened.log,
    peers,
    retention,
    everyMs: options.truncateEveryMs ?? HOUR_MS / 4,
    reach: options.reach ?? noCrash,
    onError: options.onError ?? (() => {}),
  });
  const { log } = opened;
  const held = cleanup.move();
  return new LiveExport({ filesetName, keeper, log, retention, peers, truncation, held });
}

function listPatterns(patterns: readonly string[]): string {
  return patterns.length === 0 ? "nothing" : patterns.map((one) => JSON.stringify(one)).join(", ");
}

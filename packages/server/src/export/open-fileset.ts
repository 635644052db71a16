/**
 * Brings a fileset up in the order of design §4: the log, then the intents of an apply that a crash cut
 * off, then the index. The tree is scanned afterwards, by whoever opened it.
 */

import { hash } from "node:crypto";
import { closeSync, constants } from "node:fs";
import { resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";

import {
  HELD_REMOVAL_PERCENT,
  IgnoreRules,
  isSamePosition,
  NO_RECNO,
  openKmlLog,
  RecentWork,
  RecnoNotInLogError,
  type HashFunction,
  type KmlLog,
  type PolicyRule,
  type Position,
  type Recno,
} from "@izo/core";
import { nodeDisk, openat, SpaceReserve } from "@izo/sys";

import { CommittedIndex } from "../db/committed-index.ts";
import { readHead } from "../db/index-head.ts";
import { openIndex, type OpenedIndex } from "../db/open-index.ts";
import { lockInstance } from "../log/instance-lock.ts";
import { Ledger } from "../log/ledger.ts";
import { startFromAnchor } from "../log/start-from-anchor.ts";
import { BatchIntents } from "./apply/batch-intents.ts";
import { reserveIntents } from "./apply/intents.ts";
import { recoverIntents } from "./apply/recover-intents.ts";
import { relearnRetained } from "./contents/relearn-retained.ts";
import type { Problem } from "./export.ts";
import type { Fileset } from "./fileset.ts";
import { PermitOffice } from "./permits/permit-office.ts";
import { openStateDirectory } from "./state-directory.ts";
import { readIgnoreNote, writeIgnoreNote } from "./tree/ignore-note.ts";
import { openRoot } from "./tree/tree-directory.ts";

export interface OpenFilesetOptions {
  readonly dir: string;
  readonly filesetName: string;
  readonly nowNs: () => bigint;
  /** Bytes at which a segment of the log is sealed. */
  readonly segmentBytes?: number;
  /** How long a permit holds without being renewed. */
  readonly permitTermMs?: number;
  readonly conflictPolicies?: readonly PolicyRule[];
  /** Removals of more than so many percent of the names have to be confirmed; 90 by default. */
  readonly heldRemovalPercent?: number;
  /** What stays out of the fileset; as it was last served where it is not said. */
  readonly ignore?: readonly string[];
  readonly noteProblem: (problem: Problem) => void;
  readonly clearProblem: (path: string) => void;
  readonly onIndexing?: (recno: Recno, head: Recno) => void;
}

export interface OpenedFileset extends AsyncDisposable {
  readonly fileset: Fileset;
  readonly log: KmlLog;
  readonly index: OpenedIndex;
  /** Patterns by which it was served before, where they are others now; else null. */
  readonly ignoredBefore: readonly string[] | null;
  /** Where intents that belong to another log are now; null where there were none. */
  readonly intentsAside: string | null;
}

/** SHA-256 by Node, some ten times as fast as in plain JavaScript. */
export const sha256: HashFunction = (bytes) => hash("sha256", bytes, "buffer");

/** Longer than a hiccup of the network, and not too long to wait for one who is gone. */
const DEFAULT_PERMIT_TERM_MS = 60_000;

/** A holder who is asked for a permit has this share of a term to finish. */
const PERMIT_GRACE_SHARE = 0.5;

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY;

/**
 * Opens a fileset for the only process that may change it.
 *
 * @throws ExportError, AlreadyServedError, KmlDamageError, KmlVersionError, AnchorMissingError
 */
export async function openFileset(options: OpenFilesetOptions): Promise<OpenedFileset> {
  const { filesetName, nowNs, noteProblem, clearProblem } = options;
  const { permitTermMs = DEFAULT_PERMIT_TERM_MS } = options;
  const dir = resolve(options.dir);
  const paths = openStateDirectory(dir, filesetName);
  await using cleanup = new AsyncDisposableStack();
  cleanup.use(lockInstance(paths.lock, dir));
  const openHeld = (open: () => number): number => {
    const fd = open();
    cleanup.defer(() => closeSync(fd));
    return fd;
  };
  const rootFd = openHeld(() => openRoot(dir));
  const applyFd = openHeld(() => openat(rootFd, paths.apply, DIRECTORY));
  const contentsFd = openHeld(() => openat(rootFd, paths.contents, DIRECTORY));
  const objectsFd = openHeld(() => openat(rootFd, paths.objects, DIRECTORY));
  // Given back while it opens: on a full disk it is what recovery has to work with.
  const space = cleanup.use(new SpaceReserve(paths.reserve));
  space.release();
  const noted = readIgnoreNote(paths.ignore);
  const ignore = options.ignore === undefined ? noted : new IgnoreRules(options.ignore);
  const isIgnoreNew = !isDeepStrictEqual(ignore.patterns, noted.patterns);
  if (isIgnoreNew) writeIgnoreNote(paths.ignore, ignore);
  const log = cleanup.use(
    await openKmlLog({
      disk: nodeDisk,
      dir: paths.kml,
      fileset: paths.filesetId,
      peer: paths.peer,
      hash: sha256,
      ...(options.segmentBytes !== undefined && { segmentBytes: options.segmentBytes }),
    }),
  );
  const nowMs = Number(nowNs() / 1_000_000n);
  const isInLog = (position: Position): boolean => isPositionOf(log, position);
  const index = openIndex(paths.index, paths.filesetId, isInLog, nowMs);
  cleanup.defer(() => {
    index.connection.close();
  });
  const isNewIndex = readHead(index.connection)!.position.recno === NO_RECNO;
  if (isNewIndex) await startFromAnchor(index.connection, paths.anchors, log);
  const committed = cleanup.use(new CommittedIndex(paths.index));
  const ledger = new Ledger({
    log,
    connection: index.connection,
    space,
    peer: paths.peer,
    nowNs,
  });
  const permits = new PermitOffice(
    {
      path: paths.permits,
      termMs: permitTermMs,
      graceMs: permitTermMs * PERMIT_GRACE_SHARE,
      monotonicMs: () => performance.now(),
      state: () => committed.state,
      headRecno: () => ledger.position.recno,
    },
    Number(nowNs() / 1_000_000n),
  );
  const fileset: Fileset = {
    dir,
    rootFd,
    applyFd,
    contentsFd,
    objectsFd,
    paths,
    peer: paths.peer,
    ledger,
    committed,
    connection: index.connection,
    permits,
    intents: new BatchIntents(paths.intents),
    nowNs,
    conflictPolicies: options.conflictPolicies ?? [],
    heldRemovalPercent: options.heldRemovalPercent ?? HELD_REMOVAL_PERCENT,
    recentWork: new RecentWork(),
    ignore,
    noteProblem,
    clearProblem,
  };
  const intentsAside = await recoverIntents(fileset, log);
  ledger.catchUp(options.onIndexing);
  await relearnRetained(fileset);
  space.take();
  reserveIntents(paths.intents);
  const held = cleanup.move();
  return {
    fileset,
    log,
    index,
    ignoredBefore: isIgnoreNew ? noted.patterns : null,
    intentsAside,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

function isPositionOf(log: KmlLog, position: Position): boolean {
  try {
    return isSamePosition(log.positionAt(position.recno), position);
  } catch (error) {
    if (error instanceof RecnoNotInLogError) return false;
    throw error;
  }
}

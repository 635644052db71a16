/**
 * Applies client records in the order of design S1: judge and replay inside an open transaction → items
 * complete in staging → intents durable → tree changed and its directories synced → log appended and
 * synced → index committed. Called by the queue only.
 *
 * A crash leaves a prefix of the batch in the tree, and intents that say which. When a step finds a
 * change that is not logged, the records before it are finished, and the caller looks at it and judges
 * the rest again.
 */

import { constants, fsync } from "node:fs";
import { promisify } from "node:util";

import {
  logDecision,
  reintegrate,
  NO_RECNO,
  ROOT_OID,
  textToBytes,
  type Decision,
  type Oid,
  type ReintegrateContext,
  type ServerRecord,
  type SubmittedRecord,
} from "@izo/core";
import { fstatat, unlinkat } from "@izo/sys";

import { isSameButForCtime, noteOfStat } from "../db/disk-notes.ts";
import { BatchDirectories } from "./batch-directories.ts";
import type { CrashPoint } from "./crash-point.ts";
import { NoSpaceError } from "./errors.ts";
import { executeStep, type Outgoing, type StepContext } from "./execute-step.ts";
import type { Fileset } from "./fileset.ts";
import { clearIntents, writeIntents, type Intent } from "./intents.ts";
import { LocalChange } from "./local-change.ts";
import { planIntent, withInodes } from "./plan-intent.ts";
import { prepareItem } from "./prepare-item.ts";
import { STATE_DIRECTORY } from "./state-directory.ts";
import { directoriesOf, planStep, type Step } from "./step.ts";

const fsyncAsync = promisify(fsync);

/** A record to be judged, and what the judge may know of its author. */
export interface Submission {
  readonly record: SubmittedRecord;
  readonly context: ReintegrateContext;
}

export interface AppliedBatch {
  /** How many submissions took effect. */
  readonly count: number;
  /** Why it ended early: {@link LocalChange}, or what the disk said; null where it did not. */
  readonly failure: unknown;
  readonly outgoing: readonly Outgoing[];
}

interface PlannedRecord {
  readonly submission: number;
  readonly record: ServerRecord;
  readonly step: Step | null;
  readonly intent: Intent;
}

export interface ApplyOptions {
  /** Objects too busy to be logged first. */
  readonly forced: ReadonlySet<Oid>;
  readonly onDirectory: (oid: Oid, fd: number) => void;
  readonly reach: CrashPoint;
}

/** @throws NoSpaceError, ContentMissingError; nothing has happened then */
export async function applyBatch(
  fileset: Fileset,
  submissions: readonly Submission[],
  { forced, onDirectory, reach }: ApplyOptions,
): Promise<AppliedBatch> {
  using directories = new BatchDirectories(fileset);
  const { ledger } = fileset;
  const context: StepContext = {
    fileset,
    directories,
    forced,
    outgoing: [],
    contents: new Map(),
    onDirectory,
    notes: new Map(),
    changedDirectories: new Set(),
  };
  ledger.begin();
  const items: string[] = [];
  try {
    const planned = judge(fileset, submissions);
    openDirectories(fileset, planned, directories);
    await prepareItems(fileset, planned, items);
    await fsyncAsync(fileset.applyFd);
    reach("items-prepared");
    await writeIntents(fileset.paths.intents, withInodes(fileset, planned));
    reach("intents-written");
    const { done, failure } = executeSteps(planned, context, reach);
    await Promise.all([...context.changedDirectories].map((fd) => fsyncAsync(fd)));
    reach("tree-changed");
    if (done < planned.length) {
      ledger.rollback();
      ledger.begin();
      ledger.replay(planned.slice(0, done).map(({ record }) => record));
    }
    dropUsedContents(fileset, planned.slice(0, done), context);
    for (const [oid, note] of context.notes) {
      if (note === null) ledger.notes.drop(oid);
      else ledger.notes.put(oid, note);
    }
    await ledger.commit(() => reach("log-synced"));
    reach("index-committed");
    await clearIntents(fileset.paths.intents);
    const count = planned[done]?.submission ?? submissions.length;
    return { count, failure, outgoing: context.outgoing };
  } catch (error) {
    ledger.rollback();
    if (isFullDisk(error)) throw new NoSpaceError("apply the records", error);
    if (error instanceof LocalChange) return { count: 0, failure: error, outgoing: [] };
    throw error;
  } finally {
    for (const item of items) removeItem(fileset, item, context);
  }
}

/** Judges and replays all submissions into the open transaction. */
function judge(fileset: Fileset, submissions: readonly Submission[]): PlannedRecord[] {
  const { ledger } = fileset;
  const planned: PlannedRecord[] = [];
  for (const [submission, { record: submitted, context }] of submissions.entries()) {
    const decision = judgeOne(fileset, submitted, context);
    const records = logDecision(decision, submitted, {
      headRecno: ledger.recno,
      headTimeNs: ledger.timeNs,
      nowNs: fileset.nowNs(),
      server: fileset.peer,
    });
    for (const record of records) {
      const step = planStep(record, ledger.state);
      ledger.replay([record]);
      const intent = planIntent(record, step, ledger.state);
      planned.push({ submission, record, step, intent });
    }
  }
  return planned;
}

/** The judge knows nothing of the name that the server keeps its state under. */
function judgeOne(
  fileset: Fileset,
  submitted: SubmittedRecord,
  context: ReintegrateContext,
): Decision {
  const { operation } = submitted;
  const isReserved =
    ("parent" in operation &&
      operation.parent === ROOT_OID &&
      (operation.name as string) === STATE_DIRECTORY) ||
    (operation.opcode === "RENAME" &&
      operation.toParent === ROOT_OID &&
      (operation.toName as string) === STATE_DIRECTORY);
  if (!isReserved) return reintegrate(submitted, fileset.ledger.state, context);
  return {
    verdict: "refused",
    reason: "wrong-kind",
    operations: [
      {
        opcode: "OUTCOME",
        verdict: "refused",
        reason: "wrong-kind",
        oid: operation.oid,
        path: `/${STATE_DIRECTORY}`,
        nameVersion: NO_RECNO,
        contentVersion: NO_RECNO,
        attributesVersion: NO_RECNO,
      },
    ],
    trace: 0,
  };
}

function openDirectories(
  fileset: Fileset,
  planned: readonly PlannedRecord[],
  directories: BatchDirectories,
): void {
  directories.prepare(ROOT_OID, fileset.committed.state);
  for (const { step } of planned) {
    for (const oid of step === null ? [] : directoriesOf(step)) {
      directories.prepare(oid, fileset.committed.state);
    }
  }
}

async function prepareItems(
  fileset: Fileset,
  planned: readonly PlannedRecord[],
  items: string[],
): Promise<void> {
  for (const { step } of planned) {
    if (step?.kind !== "place" && step?.kind !== "exchange") continue;
    items.push(step.item);
    removeLeftItem(fileset, step.item);
    await prepareItem(fileset, step.item, step.object);
  }
}

function executeSteps(
  planned: readonly PlannedRecord[],
  context: StepContext,
  reach: CrashPoint,
): { done: number; failure: unknown } {
  for (const [index, { step, submission }] of planned.entries()) {
    try {
      if (step !== null) executeStep(step, context);
    } catch (error) {
      // The records of one submission belong together; those that only bring back a directory for it
      // do no harm alone, and the next judgement builds on them.
      const first = planned.findIndex((other) => other.submission === submission);
      const isRestored = planned.slice(first, index).some((other) => other.step !== null);
      return { done: isRestored ? index : first, failure: error };
    }
    reach("step-done");
  }
  return { done: planned.length, failure: null };
}

/**
 * Contents that are in the tree now lose their name in staging. It changes their ctime, so they are
 * noted again, at the place and under the object where later steps of the batch have left them.
 */
function dropUsedContents(
  fileset: Fileset,
  done: readonly PlannedRecord[],
  context: StepContext,
): void {
  const { state } = fileset.ledger;
  const oids = new Map([...context.notes].map(([oid, note]) => [note?.ino, oid]));
  for (const { step } of done) {
    if (step?.kind !== "exchange" && step?.kind !== "place") continue;
    const { sha256 } = step.object;
    if (sha256 === null) continue;
    const options = { noFollow: true, throwIfNoEntry: false } as const;
    const staged = fstatat(fileset.contentsFd, sha256, options);
    if (staged === undefined || staged.nlink < 2) continue;
    unlinkat(fileset.contentsFd, sha256);
    const oid = oids.get(staged.ino);
    const note = oid === undefined ? undefined : context.notes.get(oid);
    const place = oid === undefined ? undefined : state.links(oid)[0];
    if (oid === undefined || !note || place === undefined) continue;
    const directoryFd = context.directories.fd(place.parent);
    const after = fstatat(directoryFd, textToBytes(place.name), options);
    const isSame = after !== undefined && isSameButForCtime(note, noteOfStat(after));
    context.notes.set(oid, isSame ? noteOfStat(after) : null);
  }
}

/** What a batch that failed, or that ended early, has left on its way in. */
function removeItem(fileset: Fileset, item: string, context: StepContext): void {
  if (context.outgoing.some((outgoing) => outgoing.item === item)) return;
  removeLeftItem(fileset, item);
}

function removeLeftItem(fileset: Fileset, item: string): void {
  const options = { noFollow: true, throwIfNoEntry: false } as const;
  const stat = fstatat(fileset.applyFd, item, options);
  if (stat === undefined) return;
  const isDirectory = (stat.mode & constants.S_IFMT) === constants.S_IFDIR;
  unlinkat(fileset.applyFd, item, { directory: isDirectory });
}

/** Tells whether an error, or what it comes from, says that there is no room. */
export function isFullDisk(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as { code?: unknown };
    if (code === "ENOSPC" || code === "EDQUOT" || code === "SQLITE_FULL") return true;
  }
  return false;
}

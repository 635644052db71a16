/**
 * Applies client records in the order of design S1: judge and replay inside an open transaction → items
 * complete in staging → room in the log → intents durable → tree changed and its directories synced →
 * log appended and synced → index committed. Called by the queue only.
 *
 * A crash leaves a prefix of the batch in the tree, and intents that say which. When a step finds a
 * change that is not logged, the records before it are finished, and the caller looks at it and judges
 * the rest again. When the disk fails, the batch is finished as the next start would finish it: what is in
 * the tree is logged. Where that fails too, intents and staging stay as they are for the next batch, or the
 * next start.
 */

import { constants, fsync } from "node:fs";
import { promisify } from "node:util";

import { ROOT_OID, type Oid, type Sha256, type SubmittedRecord } from "@izo/core";
import { fstatat, renameat2, unlinkat } from "@izo/sys";

import { retainRefused } from "../contents/retain-refused.ts";
import type { CrashPoint } from "../crash-point.ts";
import type { Fileset } from "../fileset.ts";
import { isLasting, NotStorable } from "../tree/not-storable.ts";
import { BatchDirectories } from "./batch-directories.ts";
import { dropUsedContents } from "./drop-used-contents.ts";
import { executeStep } from "./execute-step.ts";
import { judgeBatch, type PlannedRecord, type Submission } from "./judge-batch.ts";
import { withInodes } from "./plan-intent.ts";
import { prepareItem } from "./prepare-item.ts";
import { recoverBatch } from "./recover-intents.ts";
import type { Outgoing, StepContext } from "./step-context.ts";
import { directoriesOf } from "./step.ts";

const fsyncAsync = promisify(fsync);

export interface AppliedBatch {
  /** How many submissions took effect. */
  readonly count: number;
  /** Why it ended early, or did nothing: `LocalChange`, {@link NotStorable}, or what the disk said; else null. */
  readonly failure: unknown;
  readonly outgoing: readonly Outgoing[];
}

export interface ApplyOptions {
  /** Objects too busy to be logged first. */
  readonly forced: ReadonlySet<Oid>;
  /** Records that are refused, because the disk has refused them for good. */
  readonly unstorable: ReadonlySet<SubmittedRecord>;
  readonly onDirectory: (oid: Oid, fd: number) => void;
  /** As `ContentStore.whenDurable`. */
  readonly whenDurable: (contents: readonly Sha256[]) => Promise<void>;
  readonly reach: CrashPoint;
}

/** @throws what the disk says where an earlier batch cannot be finished; nothing has happened then */
export async function applyBatch(
  fileset: Fileset,
  submissions: readonly Submission[],
  { forced, unstorable, onDirectory, whenDurable, reach }: ApplyOptions,
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
    reach,
    notes: new Map(),
    changedDirectories: new Set(),
  };
  const { intents } = fileset;
  if (intents.mayStand) await recoverBatch(fileset);
  const items: string[] = [];
  let planned: readonly PlannedRecord[] = [];
  let done = 0;
  let failure: unknown;
  ledger.begin();
  try {
    planned = judgeBatch(fileset, submissions, unstorable);
    await prepare(fileset, planned, submissions, { directories, items });
    await Promise.all([
      whenDurable(contentsOf(submissions)),
      // Renames, removals and attributes put nothing in.
      items.length > 0 ? fsyncAsync(fileset.applyFd) : undefined,
    ]);
    reach("items-prepared");
    ledger.reserve();
    await intents.write(withInodes(fileset, planned));
    reach("intents-written");
    ({ done, failure } = executeSteps(planned, submissions, context, reach));
    await Promise.all([...context.changedDirectories].map((fd) => fsyncAsync(fd)));
    reach("tree-changed");
    if (done < planned.length) {
      ledger.rollback();
      ledger.begin();
      ledger.replay(planned.slice(0, done).map(({ record }) => record));
    }
    dropUsedContents(fileset, planned.slice(0, done), context);
    for (const [oid, note] of context.notes) {
      if (note === null || ledger.state.object(oid) === undefined) ledger.notes.drop(oid);
      else ledger.notes.put(oid, note);
    }
    await ledger.commit(() => reach("log-synced"));
    reach("index-committed");
    retainContents(fileset, planned.slice(0, done), submissions);
    // Else the log does not say that it is over, and what lies in staging goes.
    if (done > 0) intents.settle();
    else await intents.drop();
  } catch (error) {
    ledger.rollback();
    failure = error;
    if (intents.mayStand && !(await isRecovered(fileset)))
      return { count: 0, failure, outgoing: [] };
    done = planned.filter(({ record }) => record.recno <= ledger.recno).length;
  }
  const unlogged = new Set(planned.slice(done).map(({ record }) => String(record.recno)));
  const outgoing = context.outgoing.map((one) =>
    unlogged.has(one.item) ? { ...one, item: moveAside(fileset, one.item) } : one,
  );
  const isOutgoing = new Set(outgoing.map(({ item }) => item));
  for (const item of items) if (!isOutgoing.has(item)) removeItem(fileset, item);
  const count = done === 0 ? 0 : (planned[done]?.submission ?? submissions.length);
  return { count, failure, outgoing };
}

/** The error that is told is the first one. */
async function isRecovered(fileset: Fileset): Promise<boolean> {
  try {
    await recoverBatch(fileset);
    return true;
  } catch {
    return false;
  }
}

/**
 * Gives an item another name: it was taken out by a record that is not logged, and the next record gets the same
 * number, by which its item is named. Where nobody watches it, the next start looks whether it is known.
 */
function moveAside({ applyFd, nowNs }: Fileset, item: string): string {
  const aside = `${item}-unlogged-${nowNs()}`;
  renameat2(applyFd, item, applyFd, aside, { noReplace: true });
  return aside;
}

/** Also of those that are refused: what was refused is kept. */
function contentsOf(submissions: readonly Submission[]): Sha256[] {
  return submissions.flatMap(({ record: { operation } }) =>
    operation.opcode === "CLOSE" && operation.sha256 !== null ? [operation.sha256] : [],
  );
}

/**
 * Opens the directories that the batch changes, and makes the inodes that it puts in.
 *
 * @throws NotStorable with all records for which that fails for good
 */
async function prepare(
  fileset: Fileset,
  planned: readonly PlannedRecord[],
  submissions: readonly Submission[],
  { directories, items }: { readonly directories: BatchDirectories; readonly items: string[] },
): Promise<void> {
  const causes = new Map<SubmittedRecord, Error>();
  directories.prepare(ROOT_OID, fileset.committed.state);
  for (const { step, submission } of planned) {
    if (step === null) continue;
    try {
      for (const oid of directoriesOf(step)) directories.prepare(oid, fileset.committed.state);
      if (step.kind !== "place" && step.kind !== "exchange") continue;
      items.push(step.item);
      if (isThere(fileset, step.item)) moveAside(fileset, step.item);
      await prepareItem(fileset, step.item, step.object);
    } catch (error) {
      if (!isLasting(error)) throw error;
      causes.set(submissions[submission]!.record, error);
    }
  }
  if (causes.size > 0) throw new NotStorable(causes);
}

function executeSteps(
  planned: readonly PlannedRecord[],
  submissions: readonly Submission[],
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
      const { record } = submissions[submission]!;
      const failure = isLasting(error) ? new NotStorable(new Map([[record, error]])) : error;
      return { done: isRestored ? index : first, failure };
    }
    reach("step-done");
  }
  return { done: planned.length, failure: null };
}

/** A refusal loses no content. */
function retainContents(
  fileset: Fileset,
  done: readonly PlannedRecord[],
  submissions: readonly Submission[],
): void {
  for (const { record, submission } of done) {
    if (record.operation.opcode !== "OUTCOME" || record.operation.verdict !== "refused") continue;
    const { operation } = submissions[submission]!.record;
    if (operation.opcode === "CLOSE" && operation.sha256 !== null) {
      retainRefused(fileset, operation.sha256);
    }
  }
}

function isThere({ applyFd }: Fileset, item: string): boolean {
  return fstatat(applyFd, item, { noFollow: true, throwIfNoEntry: false }) !== undefined;
}

/** What a batch that failed, or that ended early, has left on its way in. */
function removeItem(fileset: Fileset, item: string): void {
  const options = { noFollow: true, throwIfNoEntry: false } as const;
  const stat = fstatat(fileset.applyFd, item, options);
  if (stat === undefined) return;
  const isDirectory = (stat.mode & constants.S_IFMT) === constants.S_IFDIR;
  unlinkat(fileset.applyFd, item, { directory: isDirectory });
}

import {
  admitPush,
  conflictPolicies,
  isMassRemoval,
  IzoError,
  removalExtent,
  type Admitted,
  type Oid,
  type PeerId,
  type PolicyOf,
  type Recno,
  type Sha256,
  type SubmittedRecord,
} from "@izo/core";

import { receivedRecno } from "../../db/peers.ts";
import { isFullDisk } from "../../log/is-full-disk.ts";
import type { CrashPoint } from "../crash-point.ts";
import { ContentMissingError, MassRemovalError, NoSpaceError } from "../errors.ts";
import type { Push, PushResult } from "../export.ts";
import type { Fileset } from "../fileset.ts";
import { NotStorable } from "../tree/not-storable.ts";
import { applyBatch } from "./apply-batch.ts";
import type { Submission } from "./judge-batch.ts";
import { LocalChange } from "./local-change.ts";
import { refuseOutside } from "./refuse-outside.ts";
import type { Outgoing } from "./step-context.ts";

/** Records applied with one sync of the log; more would make others wait for their answer. */
const BATCH_RECORDS = 256;

/** After a local change what was made ready behind it is thrown away: as many again, and not more. */
const LEAST_RECORDS = 16;

/** How often a record is judged again after a local change; a file that still changes then is forced. */
const ROUNDS_BEFORE_FORCE = 3;
const MAX_ROUNDS = 40;

export interface PushContext {
  readonly fileset: Fileset;
  readonly reach: CrashPoint;
  readonly onDirectory: (oid: Oid, fd: number) => void;
  /** In bytes; null where it is not here. */
  readonly contentSize: (sha256: Sha256) => number | null;
  /** As `ContentStore.whenDurable`. */
  readonly whenDurable: (contents: readonly Sha256[]) => Promise<void>;
  /** Logs what is on disk there, as it is. */
  readonly lookAgain: (change: LocalChange) => Promise<void>;
  readonly takeOutgoing: (outgoing: readonly Outgoing[]) => void;
}

/** A CLOSE without its hash, or one that lies about its content. */
export class InvalidPushError extends IzoError {
  constructor(originRecno: Recno, reason: string) {
    super("invalid-batch", `Cannot take record ${originRecno}: ${reason}`, { originRecno, reason });
  }
}

/**
 * Takes a push through admission, judgement and application until all its records have an outcome.
 * Runs as one job of the queue.
 */
export async function applyPush(context: PushContext, push: Push): Promise<PushResult[]> {
  try {
    return await takePush(context, push);
  } catch (error) {
    // Wherever it was met: in the tree, the log, the intents or the index.
    throw isFullDisk(error) ? new NoSpaceError("apply the records", error) : error;
  }
}

async function takePush(context: PushContext, push: Push): Promise<PushResult[]> {
  const { fileset } = context;
  const { state } = fileset.ledger;
  fileset.permits.check(push.peer, push.permits ?? []);
  const admitted = admitPush(push, receivedRecno(fileset.connection, push.peer), state);
  const policyOf = conflictPolicies(fileset.conflictPolicies);
  const submissions = submissionsOf(push, admitted, policyOf);
  const submitted = submissions.map(({ record }) => record);
  refuseOutside(state, submitted, push.below ?? "/");
  fileset.recentWork.note(nowMs(fileset), fileset.ledger.recno);
  if (push.isRemovalConfirmed !== true) refuseMassRemoval(fileset, push.peer, submissions);
  checkContents(context, submissions);
  const forced = new Set<Oid>();
  const unstorable = new Set<SubmittedRecord>();
  let done = 0;
  let rounds = 0;
  let size = BATCH_RECORDS;
  while (done < submissions.length) {
    const batch = submissions.slice(done, done + size);
    const { count, outgoing, failure } = await applyBatch(fileset, batch, {
      ...context,
      forced,
      unstorable,
    });
    done += count;
    context.takeOutgoing(outgoing);
    if (failure === null) {
      size = Math.min(BATCH_RECORDS, size * 2);
      continue;
    }
    if (failure instanceof NotStorable) {
      for (const [record, cause] of failure.causes) {
        unstorable.add(record);
        noteUnstorable(fileset, record, cause);
      }
      continue;
    }
    rounds = count > 0 ? 1 : rounds + 1;
    size = Math.max(LEAST_RECORDS, Math.ceil(size / 4));
    if (!(failure instanceof LocalChange) || rounds > MAX_ROUNDS) throw failure;
    await context.lookAgain(failure);
    if (rounds > ROUNDS_BEFORE_FORCE && failure.oid !== null) forced.add(failure.oid);
  }
  return push.records.map(({ origin }) => {
    const { verdict, reason, trace } = state.outcome(origin)!;
    return { originRecno: origin.recno, verdict, reason, trace };
  });
}

function submissionsOf(
  push: Push,
  admitted: readonly Admitted[],
  policyOf: PolicyOf,
): Submission[] {
  const contents = new Map<Oid, Sha256>();
  for (const { operation } of push.records) {
    if (operation.opcode === "CLOSE" && operation.sha256 !== null) {
      contents.set(operation.oid, operation.sha256);
    }
  }
  const revived = new Map(push.revivals?.map(({ oid, removedAt }) => [oid, removedAt]));
  const reintegration = {
    host: push.host,
    revives: (oid: Oid): Recno | undefined => revived.get(oid),
    contentToCome: (oid: Oid): Sha256 | undefined => contents.get(oid),
    policyOf,
  };
  return admitted
    .filter(({ outcome }) => outcome === null)
    .map(({ record }) => {
      const { operation, origin } = record;
      if (operation.opcode === "CLOSE" && operation.sha256 === null) {
        throw new InvalidPushError(origin.recno, "its CLOSE has no hash");
      }
      return { record, context: reintegration };
    });
}

/** A client asks before it sends such a push; one that is old, or hostile, or that has not learnt what others removed, does not. */
function refuseMassRemoval(
  fileset: Fileset,
  peer: PeerId,
  submissions: readonly Submission[],
): void {
  const { ledger, recentWork, heldRemovalPercent } = fileset;
  const records = submissions.map(({ record }) => record);
  const author = { peer, recentAfter: recentWork.since(nowMs(fileset)) };
  const extent = removalExtent(records, ledger.state, author, () => ledger.countEntries());
  if (isMassRemoval(extent, heldRemovalPercent))
    throw new MassRemovalError(extent.removed, extent.names);
}

function nowMs({ nowNs }: Fileset): number {
  return Number(nowNs() / 1_000_000n);
}

/** Design S1: content is complete before anything is judged. */
function checkContents(context: PushContext, submissions: readonly Submission[]): void {
  const missing = new Set<Sha256>();
  for (const { record } of submissions) {
    const { operation, origin } = record;
    if (operation.opcode !== "CLOSE" || operation.sha256 === null) continue;
    const { sha256, sizeBytes } = operation;
    const size = context.contentSize(sha256);
    if (size === null) missing.add(sha256);
    // What is logged is what everybody shows before he has the content.
    else if (size !== sizeBytes) {
      const reason = `its content has ${size} bytes, and not ${sizeBytes}`;
      throw new InvalidPushError(origin.recno, reason);
    }
  }
  if (missing.size > 0) throw new ContentMissingError([...missing]);
}

function noteUnstorable(fileset: Fileset, record: SubmittedRecord, cause: Error): void {
  const { operation, origin } = record;
  const path =
    "path" in operation ? operation.path : operation.opcode === "RENAME" ? operation.toPath : "/";
  const message = `Cannot store record ${origin.recno} of ${origin.peer}: ${cause.message}`;
  fileset.noteProblem({ path, message });
}

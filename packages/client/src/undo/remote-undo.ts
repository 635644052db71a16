/**
 * An undo on a server, by a peer that is made for it: asks for the tree before and for the log since,
 * plans (`planUndo` in core), and hands the planned operations in as its records.
 *
 * Planning changes nothing. A crash while it is handed in leaves the operations that were answered; the
 * same undo, planned again, is the rest.
 */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";

import {
  type Actor,
  computeOriginCheck,
  encodeRecord,
  type FilesetProfile,
  type LogPlace,
  MAX_PUSH_BYTES,
  MAX_PUSH_RECORDS,
  MemoryState,
  NO_CHECK,
  NO_RECNO,
  type Oid,
  type PeerId,
  planUndo,
  putSnapshotRow,
  type Recno,
  type ReintegrateResult,
  type ServerRecord,
  type Sha256,
  type SnapshotRow,
  type SubmittedRecord,
  type UndoPlan,
} from "@izo/core";

import type { HttpRemote } from "../remote/http-remote.ts";
import { type SelectedRecords, selectRecords, type UndoSelection } from "./undo-selection.ts";

/** Questions that are under way at once; the connection has as many lanes for them. */
const QUESTIONS = 4;

/** Room for the head of a batch and what stands around its records. */
const BATCH_BYTES = MAX_PUSH_BYTES / 2;

/** An undo that can be looked at before anything is done. */
export interface PlannedUndo {
  readonly selected: SelectedRecords;
  /** The undo takes back what was done behind this record. */
  readonly after: Recno;
  readonly until: Recno;
  readonly plan: UndoPlan;
  /** Under whose id the records are handed in. */
  readonly peer: PeerId;
}

/** An operation that did not become what was planned, because somebody was faster. */
export interface UndoneOtherwise {
  readonly operation: UndoPlan["operations"][number];
  readonly result: ReintegrateResult;
}

/** Asks the server for all that an undo needs, and plans it. */
export async function planRemoteUndo(
  remote: HttpRemote,
  selection: UndoSelection,
  signal: AbortSignal,
): Promise<PlannedUndo> {
  const profile = await remote.profile(signal);
  const head: LogPlace = { kind: "recno", recno: profile.head.recno };
  const before = await fetchTree(remote, selection.after, head, signal);
  const records = await fetchRecords(remote, before.recno, profile, signal);
  const until =
    selection.until === undefined
      ? profile.head.recno
      : (await fetchTree(remote, selection.until, selection.until, signal)).recno;
  const selected = selectRecords(records, until, selection);
  const peer = newId();
  const planWith = (hasContent: (sha256: Sha256) => boolean, state: MemoryState): UndoPlan =>
    planUndo({
      before: state,
      records,
      selected: selected.recnos,
      hasContent,
      peer,
      newOid: newId,
    });
  const hoped = planWith(() => true, before.state());
  const missing = await findMissing(remote, hoped, signal);
  const plan =
    missing.size === 0 ? hoped : planWith((sha256) => !missing.has(sha256), before.state());
  return { selected, after: before.recno, until, plan, peer };
}

/**
 * Hands the operations of an undo in.
 *
 * @param onProgress is told how many of them are durable
 * @returns those that became something else
 */
export async function applyRemoteUndo(
  remote: HttpRemote,
  { plan, peer }: PlannedUndo,
  actor: Actor,
  signal: AbortSignal,
  onProgress: (done: number) => void = () => {},
): Promise<UndoneOtherwise[]> {
  const authorTimeNs = BigInt(Date.now()) * 1_000_000n;
  const removals = new Map(plan.revivals.map((revival) => [revival.oid, revival]));
  const otherwise: UndoneOtherwise[] = [];
  let received = { recno: NO_RECNO, check: NO_CHECK };
  let done = 0;
  for (const records of batchesOf(plan, peer, authorTimeNs, actor)) {
    const revivals = records.flatMap(({ operation }) => {
      const revival = "oid" in operation ? removals.get(operation.oid) : undefined;
      return revival === undefined || !("mode" in operation) ? [] : [revival];
    });
    // What would remove nearly everything was shown to whoever asked for it.
    const push = { peer, host: hostname(), received, revivals, records, contents: [] };
    // oxlint-disable-next-line no-await-in-loop -- each batch builds on the one before
    const { results } = await remote.push({ ...push, isRemovalConfirmed: true }, signal);
    for (const [index, result] of results.entries()) {
      const { operation } = records[index]!;
      if (result.verdict !== "applied") otherwise.push({ operation, result });
    }
    received = records.at(-1)!.origin;
    done += records.length;
    onProgress(done);
  }
  return otherwise;
}

async function fetchTree(
  remote: HttpRemote,
  at: LogPlace,
  against: LogPlace,
  signal: AbortSignal,
): Promise<{ readonly recno: Recno; readonly state: () => MemoryState }> {
  const rows: SnapshotRow[] = [];
  let recno = NO_RECNO;
  for await (const row of remote.history.tree(at, against, signal)) {
    if (row.kind === "start") ({ recno } = row.position);
    else rows.push(row);
  }
  return {
    recno,
    state: () => {
      const state = new MemoryState();
      for (const row of rows) putSnapshotRow(row, state, recno);
      return state;
    },
  };
}

/** The records behind one, up to the head that the profile states; the running hash is checked on the way. */
async function fetchRecords(
  remote: HttpRemote,
  after: Recno,
  { head }: FilesetProfile,
  signal: AbortSignal,
): Promise<ServerRecord[]> {
  const found: ServerRecord[] = [];
  let position = await remote.positionAt(after, signal);
  while (position.recno < head.recno) {
    // oxlint-disable-next-line no-await-in-loop -- each answer says where the next begins
    const { records, last } = await remote.poll(position, {}, signal);
    for (const record of records) if (record.recno <= head.recno) found.push(record);
    position = last;
  }
  return found;
}

/** The contents of a plan that the server does not keep any more. */
async function findMissing(
  remote: HttpRemote,
  { operations }: UndoPlan,
  signal: AbortSignal,
): Promise<Set<Sha256>> {
  const wanted = new Set(
    operations.flatMap((operation) =>
      operation.opcode === "CLOSE" && operation.sha256 !== null ? [operation.sha256] : [],
    ),
  );
  const missing = new Set<Sha256>();
  const questions = wanted.values();
  const ask = async (): Promise<void> => {
    for (const sha256 of questions) {
      // oxlint-disable-next-line no-await-in-loop -- several of these run side by side
      if (!(await remote.history.hasContent(sha256, signal))) missing.add(sha256);
    }
  };
  await Promise.all(Array.from({ length: QUESTIONS }, ask));
  return missing;
}

function* batchesOf(
  { operations }: UndoPlan,
  peer: PeerId,
  authorTimeNs: bigint,
  actor: Actor,
): Generator<SubmittedRecord[], void> {
  let batch: SubmittedRecord[] = [];
  let bytes = 0;
  for (const [index, operation] of operations.entries()) {
    const recno = (index + 1) as Recno;
    const sent = { origin: { peer, recno }, authorTimeNs, actor, operation };
    const origin = { peer, recno, check: computeOriginCheck(sent) };
    const record = { origin, authorTimeNs, actor, operation };
    batch.push(record);
    bytes += encodeRecord({ recno, logTimeNs: authorTimeNs, ...record }).length;
    if (batch.length < MAX_PUSH_RECORDS && bytes < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

function newId(): Oid & PeerId {
  return randomUUID().replaceAll("-", "") as Oid & PeerId;
}

/** The one line with which a status begins: is the work safe, and what does it wait for. */
import type { MountStatus } from "@izo/client";
import type { FilesetStatus } from "@izo/core";

import { formatAge, formatBytes, formatCount } from "../output/quantity.ts";

/** The answer, for people and for scripts. */
export interface Answer {
  /** A mount: everything done here is on the server. A fileset: nothing waits for a person. */
  readonly isSafe: boolean;
  readonly sentence: string;
}

/** States in which a mount will not go on without somebody's help. */
const STUCK: Readonly<Record<string, string>> = {
  refused: "the server refuses this mount",
  diverged: "the server's log is another one than the one that was replayed here",
};

/** Errors that say that changes wait for other rights; what is not refused goes on. */
const REFUSED: ReadonlySet<string> = new Set(["read-only", "out-of-scope"]);

/** Whether everything done on a mount is on the server, and what it waits for. */
export function answerOfMount(status: MountStatus, nowMs: number): Answer {
  const { pending, pendingBytes, heldRemoval } = status;
  if (pending === 0 && heldRemoval === null) {
    return {
      isSafe: true,
      sentence: `Safe: the server has every change made here. ${describeOthers(status, nowMs)}`,
    };
  }
  const held = heldRemoval?.removed ?? 0;
  const changes = [
    pending === 0 ? "" : formatNumber(pending, "change"),
    pendingBytes === 0 ? "" : `(${formatBytes(pendingBytes)})`,
  ]
    .filter((part) => part !== "")
    .join(" ");
  const here = pending === 1 ? "is" : "are";
  const sentence =
    held > 0
      ? `Not safe yet: the removal of ${formatNumber(held, "name")} waits for your decision: izo held MNT`
      : `Not safe yet: ${changes} ${here} ${describeWay(status, nowMs)}`;
  return { isSafe: false, sentence };
}

/** Why changes are still here. */
function describeWay(status: MountStatus, nowMs: number): string {
  const stuck = STUCK[status.state];
  if (status.isForcedOffline) return "on this machine only: it is kept offline (izo online MNT)";
  if (stuck !== undefined) return `on this machine only: ${stuck}`;
  if (status.state === "offline") {
    return `on this machine only: the server is out of reach since ${formatAge(nowMs - status.sinceMs)}`;
  }
  if (REFUSED.has(status.lastError?.code ?? "")) {
    return "on this machine only: the server does not take all of it from this mount, see below";
  }
  const sending = status.transfers.filter(({ direction }) => direction === "out");
  return sending.length === 0
    ? "on the way to the server"
    : `on the way to the server, ${formatNumber(sending.length, "upload")} running`;
}

/** What is known of the others' work. */
function describeOthers(status: MountStatus, nowMs: number): string {
  const stuck = STUCK[status.state];
  if (status.isForcedOffline) return "It is kept offline and does not see what others do.";
  if (stuck !== undefined) return `But ${stuck}.`;
  if (status.state === "offline") {
    return `It is out of reach since ${formatAge(nowMs - status.sinceMs)}; what others do is not seen here.`;
  }
  const behind = status.headRecno - status.recno;
  if (behind > 0) {
    const since = status.lagMs === null ? "" : `, ${formatAge(status.lagMs)}`;
    return `This mount is catching up: ${formatNumber(behind, "record")} behind${since}.`;
  }
  if (status.state !== "polling" && status.state !== "pushing") {
    return "This mount is taking over the server's tree.";
  }
  return status.mode === "replica" && !status.isComplete
    ? "This mount has all records of the server, and fetches their contents still."
    : "This mount has all that the server has.";
}

/** How many of a server's peers have everything, and whether something waits for a person. */
export function answerOfFileset(status: FilesetStatus): Answer {
  const { heldRemoval, problems, peers, headRecno } = status;
  if (heldRemoval !== null) {
    const { removed, objects } = heldRemoval;
    return {
      isSafe: false,
      sentence: `Held: ${formatCount(removed)} of ${formatCount(objects)} files are gone from the directory; decide with izo held DIR`,
    };
  }
  if (problems.length > 0) {
    return {
      isSafe: false,
      sentence: `Not all is well: ${formatNumber(problems.length, "problem")}, see below`,
    };
  }
  const behind = peers.filter(({ replayedRecno }) => replayedRecno < headRecno).length;
  if (peers.length === 0)
    return { isSafe: true, sentence: "All is well. No peer has been here yet" };
  const sentence =
    behind === 0
      ? `All is well: ${peers.length === 1 ? "the one peer has" : `all ${formatCount(peers.length)} peers have`} everything`
      : `All is well: ${formatCount(peers.length - behind)} of ${formatNumber(peers.length, "peer")} have everything`;
  return { isSafe: true, sentence };
}

function formatNumber(count: number, one: string): string {
  return `${formatCount(count)} ${one}${count === 1 ? "" : "s"}`;
}

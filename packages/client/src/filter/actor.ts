import { readFileSync } from "node:fs";

import type { Actor } from "@izo/core";

import { readCallerGroups } from "../fuse/caller-groups.ts";
import type { Caller } from "../fuse/file-system.ts";

/**
 * Reading /proc costs more than most operations, and programs come in bursts: what a process was is
 * believed that long. It is for people who read the log; nothing is decided by it.
 */
const BELIEVED_MS = 1_000;

const MAX_REMEMBERED = 256;

interface Known {
  readonly actor: Actor;
  readonly untilMs: number;
}

/** Who asked for an operation, as records say it. */
export class Actors {
  readonly #nowMs: () => number;
  readonly #known = new Map<string, Known>();
  /** Most operations are of the one who did the last. */
  #last: (Known & { readonly pid: number }) | undefined;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  of(caller: Caller): Actor {
    const nowMs = this.#nowMs();
    const { uid, gid, pid } = caller;
    const last = this.#last;
    if (last?.pid === pid && last.actor.uid === uid && last.actor.gid === gid)
      if (last.untilMs > nowMs) return last.actor;
    const known = this.#knownOf(caller, nowMs);
    this.#last = { ...known, pid };
    return known.actor;
  }

  #knownOf({ uid, gid, pid }: Caller, nowMs: number): Known {
    const key = `${pid} ${uid} ${gid}`;
    const remembered = this.#known.get(key);
    if (remembered !== undefined && remembered.untilMs > nowMs) return remembered;
    const actor = { uid, gid, groups: readCallerGroups(pid), command: readCommand(pid) };
    const known = { actor, untilMs: nowMs + BELIEVED_MS };
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
    this.#known.set(key, known);
    return known;
  }
}

function readCommand(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trimEnd();
  } catch {
    return "";
  }
}

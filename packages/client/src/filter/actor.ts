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

/** Who asked for an operation, as records say it. */
export class Actors {
  readonly #nowMs: () => number;
  readonly #known = new Map<string, { readonly actor: Actor; readonly untilMs: number }>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  of({ uid, gid, pid }: Caller): Actor {
    const key = `${pid} ${uid} ${gid}`;
    const nowMs = this.#nowMs();
    const known = this.#known.get(key);
    if (known !== undefined && known.untilMs > nowMs) return known.actor;
    const actor = { uid, gid, groups: readCallerGroups(pid), command: readCommand(pid) };
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
    this.#known.set(key, { actor, untilMs: nowMs + BELIEVED_MS });
    return actor;
  }
}

function readCommand(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8").trimEnd();
  } catch {
    return "";
  }
}

import { setTimeout as sleep } from "node:timers/promises";

import type { HttpRemote } from "@izo/client";
import { IzoError, type Recno, retryDelayMs, type ServerRecord } from "@izo/core";

import type { Cursor, CursorFile } from "./cursor-file.ts";

/** How long the server may hold an answer back while there is nothing new. */
const WAIT_SECONDS = 25;
/** Records that one poll takes: what a crash makes us read again, not do again. */
const LIMIT_RECORDS = 256;
/** So many records that nobody wants pass before the cursor is written. */
const NOTE_EVERY = 1000;

export interface FollowOptions {
  readonly remote: HttpRemote;
  readonly file: CursorFile;
  readonly start: Cursor;
  /** End at the head of the log. */
  readonly isOnce: boolean;
  readonly isWanted: (record: ServerRecord) => boolean;
  /** Resolves when the record is done. */
  readonly handle: (record: ServerRecord) => Promise<void>;
  readonly onUnreachable: (error: Error) => void;
  readonly random: () => number;
  readonly signal: AbortSignal;
}

/**
 * Hands out the records of a log one after another, in their order, and notes each that is done before the
 * next is begun.
 *
 * @throws what `handle` throws; `log-truncated`, `log-diverged`; with `isOnce` that nobody answers
 */
export async function followRecords(options: FollowOptions): Promise<void> {
  const { remote, file, isOnce, isWanted, handle, signal } = options;
  let { after, done } = options.start;
  let noted = done;
  let failures = 0;
  const note = (): void => {
    if (noted !== done) file.write({ after, done });
    noted = done;
  };
  try {
    for (let isAtHead = false; !signal.aborted;) {
      let polled;
      try {
        const waitSeconds = isAtHead && !isOnce ? WAIT_SECONDS : 0;
        // oxlint-disable-next-line no-await-in-loop -- each poll goes on from the one before
        polled = await remote.poll(after, { waitSeconds, limitRecords: LIMIT_RECORDS }, signal);
        failures = 0;
      } catch (error) {
        if (isOnce || !isUnreachable(error)) throw error;
        failures += 1;
        if (failures === 1) options.onUnreachable(error);
        // oxlint-disable-next-line no-await-in-loop
        await sleep(retryDelayMs(failures, options.random()), undefined, { signal });
        continue;
      }
      for (const record of polled.records) {
        if (record.recno <= done) continue;
        if (isWanted(record)) {
          // oxlint-disable-next-line no-await-in-loop -- one record after another
          await handle(record);
          done = record.recno;
          note();
        }
        done = record.recno;
        if (done - noted >= NOTE_EVERY) note();
      }
      after = polled.last;
      done = Math.max(done, after.recno) as Recno;
      isAtHead = after.recno >= polled.head.recno;
      if (isAtHead) note();
      if (isAtHead && isOnce) return;
    }
  } finally {
    note();
  }
}

function isUnreachable(error: unknown): error is Error {
  return error instanceof IzoError && ["unreachable", "not-ready", "internal"].includes(error.code);
}

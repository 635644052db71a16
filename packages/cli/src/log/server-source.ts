import type { HttpRemote } from "@izo/client";
import type { Position, Recno } from "@izo/core";

import type { LogSource } from "./log-source.ts";

/** How long the server may hold an answer back while there is nothing new. */
const POLL_WAIT_SECONDS = 25;

/**
 * The log of a served fileset; the remote ends with it. Where reading starts is taken on the server's word; from there on the
 * running hash is computed, so a log that changes behind our back is found out.
 */
export function serverSource(url: string, remote: HttpRemote): LogSource {
  return {
    label: url,
    async extent(signal) {
      const { head, oldestRecno } = await remote.profile(signal);
      return { oldest: oldestRecno, head: head.recno };
    },
    async *records(after, { follows, signal }) {
      const { head } = await remote.profile(signal);
      const isBeyond = after >= head.recno;
      let position: Position = isBeyond ? head : await remote.positionAt(after, signal);
      for (;;) {
        const isAtHead = position.recno >= head.recno;
        if (isAtHead && !follows) return;
        const waitSeconds = isAtHead ? POLL_WAIT_SECONDS : 0;
        const { records, last } = await remote.poll(position, { waitSeconds }, signal);
        for (const record of records) {
          if (record.recno > after) yield record;
        }
        position = last;
      }
    },
    [Symbol.asyncDispose]: () => remote[Symbol.asyncDispose](),
  };
}

/** Where reading starts so that `count` records follow. */
export function beforeLast(head: Recno, count: number): Recno {
  return Math.max(0, head - count) as Recno;
}

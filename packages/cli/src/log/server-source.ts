import { HttpRemote } from "@izo/client";
import { type Recno, startPosition } from "@izo/core";

import { nodeHash } from "./directory-source.ts";
import type { LogSource } from "./log-source.ts";

/** How long the server may hold an answer back while there is nothing new. */
const POLL_WAIT_SECONDS = 25;

/**
 * The log of a served fileset. It is read from its start, because only who has the running hash may ask
 * for what follows: a log that was changed behind our back is found out on the way.
 */
export function serverSource(url: string): LogSource {
  const remote = new HttpRemote(url);
  return {
    label: url,
    async head(signal) {
      return (await remote.profile(signal)).head.recno;
    },
    async *records(after, { follows, signal }) {
      const profile = await remote.profile(signal);
      let position = startPosition(profile.id, nodeHash);
      for (;;) {
        const isAtHead = position.recno >= profile.head.recno;
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

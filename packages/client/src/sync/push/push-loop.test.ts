import { expect, test, vi } from "vitest";

import type { Connection } from "../connection.ts";
import type { QuietMoments } from "../quiet-moments.ts";
import { Troubles } from "../troubles.ts";
import { PushLoop } from "./push-loop.ts";
import type { Pusher } from "./pusher.ts";

const RECORDS = 100;

test("[P4] a push that is refused is not sent again with each record, but when somebody asks", async () => {
  const stop = new AbortController();
  const push = vi.fn<() => Promise<boolean>>();
  push.mockRejectedValue(new Error("the server does not take it"));
  const pushes = new PushLoop({
    pusher: { push } as unknown as Pusher,
    connection: {
      mayPush: true,
      signal: stop.signal,
      happen: () => {},
    } as unknown as Connection,
    troubles: new Troubles(Date.now, () => {}),
    quiet: { wait: () => Promise.resolve() } as unknown as QuietMoments,
    sealed: () => Promise.resolve(),
    random: () => 1,
    isSentOutOfScope: () => false,
    onConnectionFailed: () => {},
    onRound: () => {},
  });
  const running = pushes.run(stop.signal);
  pushes.noteRecorded();
  await vi.waitFor(() => expect(push).toHaveBeenCalledTimes(1));
  for (let record = 0; record < RECORDS; record += 1) {
    pushes.noteRecorded();
    // oxlint-disable-next-line no-await-in-loop -- the loop gets its turn after each
    await new Promise(setImmediate);
  }
  expect(push).toHaveBeenCalledTimes(1);
  pushes.wake();
  await vi.waitFor(() => expect(push).toHaveBeenCalledTimes(2));
  stop.abort();
  await running;
});

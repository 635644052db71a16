import { setImmediate as nextTurn } from "node:timers/promises";

import { parseName } from "@izo/core";
import { expect, test, vi } from "vitest";

import type { FileSystem } from "../../file-system.ts";
import type { WatchedChange } from "../../watched-change.ts";
import type { HandlerContext } from "../handler.ts";
import { KnownNodes } from "../known-nodes.ts";
import { WatcherThread } from "./watcher-thread.ts";
import { Watchers } from "./watchers.ts";

function made(name: string): WatchedChange {
  return { kind: "made", parent: 1, name: parseName(name) };
}

test("tell() of what changes while a look fails has it looked at without waiting for more", async () => {
  const fileSystem = { pathOf: () => undefined } as unknown as FileSystem;
  const onError = vi.fn<(error: unknown) => void>();
  const options = { mountPoint: "/nowhere", settled: async () => {}, onError };
  const context = { fileSystem, known: new KnownNodes(fileSystem) } as HandlerContext;
  await using watchers = new Watchers(context, options);
  using find = vi.spyOn(WatcherThread.prototype, "find");
  find.mockResolvedValue({ watched: new Set(), tookMs: 0 });
  find.mockImplementationOnce(async () => {
    await nextTurn();
    watchers.tell(made("b"));
    throw new Error("nothing is mounted there");
  });

  watchers.tell(made("a"));

  await vi.waitFor(() => expect(find).toHaveBeenCalledTimes(2), { timeout: 10_000 });
  expect(onError).toHaveBeenCalledOnce();
});

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { LoopbackServer } from "../../testing/loopback-server.ts";
import { SyncHost } from "../../testing/sync-host.ts";

/** Short, so that tests need not wait for it long. */
const COPY_EVERY_MS = 200;
const WITHIN = { timeout: 20_000, interval: 20 };

let server: LoopbackServer;
let cleanup: AsyncDisposableStack;

beforeEach(async () => {
  cleanup = new AsyncDisposableStack();
  server = cleanup.use(await LoopbackServer.start());
});

afterEach(async () => {
  await cleanup.disposeAsync();
});

const open = async (cacheDir?: string): Promise<SyncHost> =>
  cleanup.use(
    await SyncHost.open(server.url, "on-demand", cacheDir, { copyEveryMs: COPY_EVERY_MS }),
  );

const exported = (path: string): string => readFileSync(join(server.dir, path), "utf8");

const copies = (host: SyncHost): string[] => readdirSync(join(host.cacheDir, "copies"));

describe("a file that its writer never closes", () => {
  test("reaches the server all the same, again and again [D9]", async () => {
    const host = await open();
    const file = await host.hold("/journal");
    file.write("one");
    await vi.waitFor(() => expect(exported("journal")).toBe("one"), WITHIN);
    expect(host.longWritten()).toEqual(["/journal"]);
    file.write("two", 3);
    await vi.waitFor(() => expect(exported("journal")).toBe("onetwo"), WITHIN);
    file.write("!", 6);
    file.close();
    await host.flush();
    expect(exported("journal")).toBe("onetwo!");
    expect(host.longWritten()).toEqual([]);
    expect(copies(host)).toEqual([]);
  }, 60_000);

  test("is sealed no second time while nobody writes to it", async () => {
    const host = await open();
    const file = await host.hold("/journal");
    file.write("one");
    await vi.waitFor(() => expect(exported("journal")).toBe("one"), WITHIN);
    await vi.waitFor(() => expect(host.replica.pendingCount).toBe(0), WITHIN);
    const { ownHead } = host.replica;
    // Another file takes two turns of the interval meanwhile.
    const other = await host.hold("/other");
    other.write("1");
    await vi.waitFor(() => expect(exported("other")).toBe("1"), WITHIN);
    other.write("2");
    await vi.waitFor(() => expect(exported("other")).toBe("2"), WITHIN);
    const own = host.replica.ownHead - ownHead;
    // Of the other file: a CREATE and two CLOSEs, each of these with a SEALED, all three with a SENT.
    expect(own).toBe(8);
    other.close();
    file.close();
  }, 60_000);

  test("is sent as it was sealed, whatever was written since", async () => {
    const host = await open();
    const file = await host.hold("/journal");
    await host.flush();
    await server.kill();
    file.write("before");
    await vi.waitFor(() => expect(copies(host)).toHaveLength(1), WITHIN);
    file.write("after!");
    await server.start();
    await vi.waitFor(() => expect(exported("journal")).toBe("after!"), WITHIN);
    const kept = await fetch(
      server.contentUrl(createHash("sha256").update("before").digest("hex")),
    );
    expect(await kept.text()).toBe("before");
    file.close();
  }, 60_000);

  test("loses nothing in a crash, and leaves no copy behind", async () => {
    const host = await open();
    const file = await host.hold("/journal");
    await host.flush();
    await server.kill();
    file.write("before");
    await vi.waitFor(() => expect(copies(host)).toHaveLength(1), WITHIN);
    file.write("after!");
    await host.stop();

    await server.start();
    const next = await open(host.cacheDir);
    await next.flush();
    expect(exported("journal")).toBe("after!");
    expect(copies(next)).toEqual([]);
  }, 60_000);
});

test("a file that is opened again before it can be sealed is sealed from a copy [D9]", async () => {
  const host = await open();
  let held = await host.hold("/log");
  held.write("0");
  const enough = new AbortController();
  let line = 0;
  const writer = (async () => {
    while (!enough.signal.aborted) {
      // There is always one of them open.
      // oxlint-disable-next-line no-await-in-loop -- a program that goes on and on
      const next = await host.hold("/log");
      held.close();
      held = next;
      line += 1;
      held.write(String(line % 10), line);
      // oxlint-disable-next-line no-await-in-loop
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  })();
  await vi.waitFor(() => expect(exported("log").length).toBeGreaterThan(1), WITHIN);
  enough.abort();
  await writer;
  held.close();
  await host.flush();
  expect(exported("log")).toHaveLength(line + 1);
}, 60_000);

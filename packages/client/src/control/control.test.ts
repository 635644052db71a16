import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { IzoError, type Recno } from "@izo/core";
import { CONTROL_SOCKET } from "@izo/sys";
import { afterEach, beforeEach, expect, test } from "vitest";

import { DEFAULT_SETTINGS } from "../settings/mount-settings.ts";
import { connectControl, MountNotAnsweringError } from "./connect-control.ts";
import type { MountControl, MountStatus } from "./mount-control.ts";
import { serveControl } from "./serve-control.ts";

const STATUS: MountStatus = {
  state: "polling",
  isForcedOffline: false,
  offlinePolicy: "fail",
  waitingPrograms: 0,
  mode: "replica",
  driver: {
    name: "kernel",
    protocol: "7.40",
    hasPassthrough: true,
    reason: "asked for",
    requests: { LOOKUP: 3 },
    wakeUps: { limitUs: 0, obstacle: null, isHeld: false, times: 2, totalMs: 130 },
  },
  isReadOnly: false,
  changesBelow: "/docs",
  recno: 40 as Recno,
  headRecno: 41 as Recno,
  sinceMs: 0,
  lagMs: 0,
  pendingBytes: 0,
  mostPending: 1_000_000,
  throttleMs: 0,
  transfers: [],
  pending: 2,
  isComplete: false,
  heldRemoval: null,
  waitsFor: [],
  longWritten: [],
  ignored: { patterns: ["*.o"], entries: 2, leftBehind: [] },
  conflicts: 0,
  permit: { mode: "none", permits: [] },
  cacheQuotaBytes: null,
  kept: null,
  cachedBytes: 4096,
  lastError: null,
};

const HELD = { removed: 30, names: 31, sinceMs: 0, paths: ["/a"] };

let directory = "";
/** A name that alone is longer than a socket's address may be. */
let cacheDir = "";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "izo-control-"));
  cacheDir = join(directory, "c".repeat(200));
  mkdirSync(cacheDir);
});

afterEach(() => {
  rmSync(directory, { recursive: true });
});

/** A control whose calls are noted; `waitFor` ends when its caller has gone. */
function notingControl(calls: string[]): MountControl {
  return {
    status: () => STATUS,
    metrics: () => "izo_mount_recno 40\n",
    flush: async () => {
      throw new IzoError("remote-unreachable", "Cannot flush: the server is away");
    },
    waitFor: (recno, signal) => {
      calls.push(`wait ${recno}`);
      const { promise, resolve } = Promise.withResolvers<void>();
      signal.addEventListener("abort", () => resolve(void calls.push("gone")));
      return promise;
    },
    changeSettings: (change) => {
      calls.push(`settings ${JSON.stringify(change)}`);
      return { ...DEFAULT_SETTINGS, ...change };
    },
    conflicts: async () => [],
    refusals: async () => [],
    planPush: async () => ({ recno: 40 as Recno, arePoliciesKnown: true, records: [] }),
    confirmRemoval: async () => HELD,
    dropRemoval: async () => HELD,
    planSalvage: async () => {
      throw new IzoError("not-diverged", "Cannot salvage anything");
    },
    salvage: async () => void calls.push("salvage"),
    verify: async () => {
      throw new IzoError("no-cache", "Cannot find a cache");
    },
    takePermit: async (path) => void calls.push(`take ${path}`),
    releasePermit: async (path) => void calls.push(`release ${path}`),
    pin: async () => [],
    unpin: async () => [],
    pins: async () => [],
    unmount: async () => void calls.push("unmount"),
  };
}

test("connectControl() reaches the mount through a path longer than a socket's address", async () => {
  const calls: string[] = [];
  await using _ = await serveControl(cacheDir, notingControl(calls));
  const control = connectControl(cacheDir);
  expect(await control.status()).toEqual(STATUS);
  expect(await control.metrics()).toBe("izo_mount_recno 40\n");
  await control.unmount();
  expect(calls).toEqual(["unmount"]);
});

test("connectControl() gives the mount's own error with its code", async () => {
  await using _ = await serveControl(cacheDir, notingControl([]));
  const failure = connectControl(cacheDir).flush(AbortSignal.timeout(5000));
  await expect(failure).rejects.toMatchObject({
    code: "remote-unreachable",
    message: "Cannot flush: the server is away",
  });
});

test("connectControl() changes settings, and what is no setting is refused", async () => {
  const calls: string[] = [];
  await using _ = await serveControl(cacheDir, notingControl(calls));
  const control = connectControl(cacheDir);
  const settings = await control.changeSettings({ offlinePolicy: "wait" });
  expect(settings).toEqual({ ...DEFAULT_SETTINGS, offlinePolicy: "wait" });
  const wrong = { offlinePolicy: "perhaps" } as unknown as { offlinePolicy: "wait" };
  await expect(control.changeSettings(wrong)).rejects.toThrow("offlinePolicy");
  expect(calls).toEqual(['settings {"offlinePolicy":"wait"}']);
});

test("the mount stops waiting for a caller that has gone", async () => {
  const calls: string[] = [];
  {
    await using _ = await serveControl(cacheDir, notingControl(calls));
    const leaving = AbortSignal.timeout(50);
    await expect(connectControl(cacheDir).waitFor(7 as Recno, leaving)).rejects.toThrow("timeout");
  }
  await expect.poll(() => calls).toEqual(["wait 7", "gone"]);
});

test("connectControl() says that nobody answers: no socket, or one left behind", async () => {
  await expect(connectControl(cacheDir).unmount()).rejects.toThrow(MountNotAnsweringError);
  writeFileSync(join(cacheDir, CONTROL_SOCKET), "");
  await expect(connectControl(cacheDir).unmount()).rejects.toThrow(MountNotAnsweringError);
  await using _ = await serveControl(cacheDir, notingControl([]));
  expect(await connectControl(cacheDir).status()).toEqual(STATUS);
});

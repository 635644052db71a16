import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { serve } from "@izo/server";
import { afterEach, beforeEach, expect, test } from "vitest";

import { izoIn } from "./testing/izo-in.ts";

const DASHBOARD = new URL("../../../docs/grafana/izo.json", import.meta.url);
const MOUNT_FAMILIES = new URL("../../client/src/control/mount-families.ts", import.meta.url);

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "izo-metrics-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true });
});

test("izo metrics URL prints what the server counts, and the dashboard shows nothing else", async () => {
  writeFileSync(join(directory, "a"), "content");
  await using server = await serve({ directory, host: "127.0.0.1", port: 0 });
  // The first request is counted once it is answered.
  await izoIn(directory, ["metrics", server.url]);
  const { stdout } = await izoIn(directory, ["metrics", server.url]);
  expect(stdout).toContain('izo_files{fileset="rootfset"} 1');
  const told = new Set([...stdout.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
  const ofMounts = readFileSync(MOUNT_FAMILIES, "utf8");
  const shown = readFileSync(DASHBOARD, "utf8").matchAll(/\b(?:izo|process)_[a-z_]+/g);
  for (const [name] of shown) {
    const family = name.replace(/_bucket$/, "");
    // What has no value yet is not printed.
    const isKnown = told.has(family) || ofMounts.includes(`"${family}"`) || LATER.has(family);
    expect([name, isKnown]).toEqual([name, true]);
  }
});

/** Told only once a peer was here, or a push has come. */
const LATER = new Set(["izo_peer_lag_records", "izo_peer_lag_seconds", "izo_pushed_records_total"]);

import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { ListedObject, Oid, Sha256 } from "@izo/core";
import { llistxattr } from "@izo/sys";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { RestoredItem, RestorePlace } from "./plan-restore.ts";
import { ContentNotRestoredError, restoreItem } from "./restore-item.ts";

const CONTENT = Buffer.from("what the log says");

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "izo-restore-"));
});

afterEach(() => rmSync(directory, { recursive: true }));

/** A file of which a server tells. */
function listed(xattrs: ListedObject["xattrs"] = new Map()): RestoredItem {
  const object: ListedObject = {
    oid: "1".repeat(32) as Oid,
    kind: "file",
    mode: 0o100644,
    uid: process.getuid!(),
    gid: process.getgid!(),
    mtimeNs: 1n,
    sizeBytes: CONTENT.length,
    sha256: createHash("sha256").update(CONTENT).digest("hex") as Sha256,
    target: "",
    rdev: 0,
    xattrs,
  };
  const target = Buffer.from(join(directory, "file"));
  return { object, path: "/file", target, standing: "nothing" };
}

/** A server that sends that as the content of everything. */
function placeWith(bytes: AsyncIterable<Uint8Array>): RestorePlace {
  const history = { content: async () => ({ bytes }) };
  const { signal } = new AbortController();
  return { history, at: {}, signal } as unknown as RestorePlace;
}

test("restoreItem() reads no further than the listing says that a content goes", async () => {
  const asked = vi.fn<() => void>();
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (let count = 0; count < 1000; count += 1) {
      asked();
      yield CONTENT;
    }
  }
  await expect(restoreItem(placeWith(endless()), listed())).rejects.toThrow(
    ContentNotRestoredError,
  );
  expect(asked).toHaveBeenCalledTimes(2);
  expect(readdirSync(directory)).toEqual([]);
});

test("restoreItem() sets no attributes that are no part of a fileset", async () => {
  async function* whole(): AsyncGenerator<Uint8Array> {
    yield CONTENT;
  }
  const value = Buffer.from("1");
  const item = listed(
    new Map([
      ["user.note", value],
      ["trusted.overlay.opaque", value],
    ]),
  );
  await restoreItem(placeWith(whole()), item);
  expect(readFileSync(item.target)).toEqual(CONTENT);
  expect(llistxattr(item.target).map(String)).toEqual(["user.note"]);
});

import { hash, randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Sha256 } from "@izo/core";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { FileHasher } from "../../sync/seal/hash-file.ts";
import { ScriptedSource } from "../../testing/scripted-source.ts";
import { Arrival } from "./arrival.ts";
import { PartialFile } from "./partial-file.ts";
import { PartialShelf } from "./partial-shelf.ts";

const MIB = 1024 * 1024;
const content = randomBytes(12 * MIB);
const SHA256 = hash("sha256", content) as Sha256;
const forever = new AbortController().signal;

let directory: string;
let shelf: PartialShelf;
let source: ScriptedSource;
let hasher: FileHasher;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "izo-arrival-"));
  shelf = new PartialShelf(directory, Date.now);
  source = new ScriptedSource(content);
  hasher = new FileHasher();
});

afterEach(async () => {
  await hasher[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true, force: true });
});

function arrivalOf(from = source, sha256 = SHA256): Arrival {
  return new Arrival({
    sha256,
    sizeBytes: content.length,
    file: shelf.take(sha256, content.length),
    source: () => from,
    failureOf: (error) => error,
    follow: (fd) => hasher.follow(fd),
    reclaim: () => Promise.resolve(false),
    bypassCaches: false,
    signal: forever,
  });
}

/** What a reader gets at a place, once it is here. */
async function read(arrival: Arrival, offset: number, length: number): Promise<Buffer> {
  await arrival.whenHere(offset, offset + length, forever);
  const fd = arrival.openReader();
  const bytes = Buffer.alloc(length);
  const count = readSync(fd, bytes, 0, length, offset);
  closeSync(fd);
  arrival.closeReader();
  return bytes.subarray(0, count);
}

const at = (offset: number, length: number): Buffer => content.subarray(offset, offset + length);

describe("Arrival", () => {
  test("gives the first bytes while the source holds back the rest", async () => {
    source.holdBackFrom(MIB);
    const arrival = arrivalOf();
    const run = arrival.run();
    expect(await read(arrival, 0, 100_000)).toEqual(at(0, 100_000));
    expect(arrival.has(0, MIB + 1)).toBe(false);
    source.letGo();
    await run;
    expect(await read(arrival, content.length - 10, 100)).toEqual(at(content.length - 10, 10));
    expect(source.asked).toHaveLength(1);
  });

  test("asks for what somebody reads elsewhere, a little of it, and goes on from there with who reads on", async () => {
    source.holdBackFrom(MIB);
    const arrival = arrivalOf();
    const run = arrival.run();
    await arrival.begun;
    const end = content.length - 1000;
    const looked = arrival.whenHere(end, content.length, forever);
    expect(source.asked.at(-1)).toMatchObject({ offsetBytes: end });
    const middle = arrival.whenHere(4 * MIB, 4 * MIB + 10, forever);
    expect(source.asked.at(-1)).toMatchObject({ offsetBytes: 4 * MIB, endBytes: 6 * MIB });
    const followed = Promise.all([looked, middle]);
    source.letGo();
    await followed;
    await run;
    expect(await read(arrival, 4 * MIB, MIB)).toEqual(at(4 * MIB, MIB));
    // Nothing came twice but what a stream had taken and not written yet when the other came there.
    expect(source.givenBytes).toBeLessThan(content.length + 3 * MIB);
  });

  test("follows whoever reads on behind the place where it looked", async () => {
    const slow = new ScriptedSource(content);
    slow.holdBackFrom(8 * MIB);
    const arrival = arrivalOf(slow);
    const run = arrival.run();
    run.catch(() => {});
    await arrival.whenHere(7 * MIB, 7 * MIB + 10, forever);
    expect(slow.asked.at(-1)).toMatchObject({ offsetBytes: 7 * MIB });
    const next = arrival.whenHere(9 * MIB, 9 * MIB + 10, forever);
    slow.letGo();
    await next;
    await run;
    expect(arrival.has(0, content.length)).toBe(true);
  });

  test("lets those wait no longer who are gone", async () => {
    source.holdBackFrom(0);
    const arrival = arrivalOf();
    void arrival.run();
    const reading = new AbortController();
    const waiting = arrival.whenHere(0, 10, reading.signal);
    reading.abort(new Error("killed"));
    await expect(waiting).rejects.toThrow("killed");
    source.letGo();
    await arrival.run();
  });

  test("fails for those who wait when it is cut off, and goes on where it was", async () => {
    const cut = 5 * MIB;
    source.cutAt(cut);
    const arrival = arrivalOf();
    const run = arrival.run();
    const waiting = arrival.whenHere(8 * MIB, 8 * MIB + 1, forever);
    // A stream of its own has brought that already.
    await waiting;
    await expect(run).rejects.toMatchObject({ code: "unreachable" });
    expect(arrival.has(0, cut)).toBe(true);
    await arrival.run();
    expect(source.givenBytes).toBeLessThan(content.length + 3 * MIB);
  });

  test("is gone on with by the next process", async () => {
    source.cutAt(9 * MIB);
    const first = arrivalOf();
    await expect(first.run()).rejects.toMatchObject({ code: "unreachable" });
    // Nothing is closed: the process was killed.
    shelf = new PartialShelf(directory, Date.now);
    const next = new ScriptedSource(content);
    const arrival = arrivalOf(next);
    expect(arrival.has(0, 9 * MIB)).toBe(true);
    await arrival.run();
    expect(next.givenBytes).toBe(content.length - 9 * MIB);
    expect((await read(arrival, 0, content.length)).equals(content)).toBe(true);
  });

  test("finds wrong bytes, also those of an earlier process", async () => {
    const other = Buffer.from(content);
    other[5] = other[5]! ^ 1;
    await expect(arrivalOf(new ScriptedSource(other)).run()).rejects.toMatchObject({
      code: "wrong-hash",
    });
    shelf = new PartialShelf(directory, Date.now);
    const resumed = arrivalOf();
    await expect(resumed.run()).rejects.toMatchObject({ code: "wrong-hash" });
    expect(resumed.isWrong).toBe(true);
    resumed.remove();
    expect(existsSync(resumed.path)).toBe(false);
    const anew = arrivalOf();
    await anew.run();
    expect(anew.isWrong).toBe(false);
  });

  test("refuses a content of another size, and ends the answer that brings it", async () => {
    const short = new ScriptedSource(content.subarray(1));
    const fetchContent = vi.spyOn(short, "fetchContent");
    await expect(arrivalOf(short).run()).rejects.toMatchObject({ code: "wrong-hash" });
    expect(fetchContent.mock.lastCall?.[2]?.aborted).toBe(true);
  });
});

/** Leaves a partial content behind, as a process that was killed. */
async function leave(digit: string, ageMs: number): Promise<string> {
  const sha256 = digit.repeat(64) as Sha256;
  const file = shelf.take(sha256, 2 * MIB);
  await file.write([Buffer.alloc(MIB, 1)], 0);
  file.save();
  file[Symbol.dispose]();
  utimesSync(file.path, new Date(Date.now() - ageMs), new Date(Date.now() - ageMs));
  return file.path;
}

describe("PartialShelf", () => {
  test("keeps nothing of a fetch that brought nothing", async () => {
    source.cutAt(0);
    const arrival = arrivalOf();
    await expect(arrival.run()).rejects.toMatchObject({ code: "unreachable" });
    arrival[Symbol.dispose]();
    expect(readdirSync(directory)).toEqual([]);
  });

  test("keeps what was begun lately, and removes what is old or has no map", async () => {
    const day = 24 * 60 * 60 * 1000;
    const [late, old, torn] = [
      await leave("a", day),
      await leave("b", 8 * day),
      await leave("c", 0),
    ];
    rmSync(`${torn}.map`);
    shelf = new PartialShelf(directory, Date.now);
    expect([late, old, torn].map((path) => existsSync(path))).toEqual([true, false, false]);
    expect(shelf.take("a".repeat(64) as Sha256, 2 * MIB).map.presentBytes).toBe(MIB);
  });

  test("goes on by a map that is shorter than the one before it", async () => {
    const sha256 = "e".repeat(64) as Sha256;
    const spanned = shelf.take(sha256, 2 * MIB);
    for (const start of [0, 2000, 4000, 6000]) await spanned.write([Buffer.alloc(1000, 1)], start);
    spanned.save();
    await spanned.write([Buffer.alloc(6000, 1)], 1000);
    spanned.save();
    spanned[Symbol.dispose]();
    expect([...shelf.take(sha256, 2 * MIB).map.spans()]).toEqual([{ start: 0, end: 7000 }]);
  });

  test("begins anew where the size is another one", async () => {
    await leave("a", 0);
    const file = shelf.take("a".repeat(64) as Sha256, 3 * MIB);
    expect(file.map.presentBytes).toBe(0);
    expect(statSync(file.path)).toMatchObject({ size: 3 * MIB, blocks: 0 });
  });

  test("gives two fetches of one content files of their own", () => {
    const sha256 = "d".repeat(64) as Sha256;
    const first = shelf.take(sha256, MIB);
    using second = shelf.take(sha256, MIB);
    expect(second.path).not.toBe(first.path);
    expect(second).toBeInstanceOf(PartialFile);
  });

  test("lets go all that nobody is fetching when the disk is full", async () => {
    const idle = await leave("a", 0);
    const busy = shelf.take("b".repeat(64) as Sha256, MIB);
    expect(shelf.clear()).toBeGreaterThan(0);
    expect([idle, busy.path].map((path) => existsSync(path))).toEqual([false, true]);
    expect(shelf.clear()).toBe(0);
  });
});

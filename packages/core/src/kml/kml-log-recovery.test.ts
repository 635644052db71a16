import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { DiskFault, MemoryDisk } from "../testing/memory-disk.ts";
import { PLAIN_PEER, plainRecord, plainRecords } from "../testing/plain-records.ts";
import type { FilesetId, Recno } from "./identity.ts";
import { KmlDamageError } from "./kml-damage-error.ts";
import type { KmlLog } from "./kml-log.ts";
import { openKmlLog } from "./open-kml-log.ts";
import { SEGMENT_HEADER_BYTES } from "./segment-header.ts";

const FILESET = "f0".repeat(16) as FilesetId;
const FIRST = "kml/0000000000000001.kml";
const open = (disk: MemoryDisk, segmentBytes = 1 << 20): Promise<KmlLog> =>
  openKmlLog({ disk, dir: "kml", fileset: FILESET, peer: PLAIN_PEER, segmentBytes });
const recnos = (log: KmlLog): number[] =>
  Array.from(log.read((log.oldest - 1) as Recno), (record) => record.decode().recno);

/** A log of `synced` records that are durable and `unsynced` ones that a `kill -9` has left. */
async function logLeftBehind(synced: number, unsynced: number): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const log = await open(disk);
  log.append(plainRecords(1, synced));
  await log.sync();
  log.append(plainRecords(synced + 1, synced + unsynced));
  return disk;
}

describe("a torn tail", () => {
  const tails: { description: string; tear: (bytes: Uint8Array, at: number) => Uint8Array }[] = [
    { description: "cut off", tear: (bytes, at) => bytes.slice(0, at) },
    {
      description: "zeros from there on",
      tear: (bytes, at) => {
        const torn = new Uint8Array(bytes.length + 5000);
        torn.set(bytes.subarray(0, at));
        return torn;
      },
    },
    {
      description: "garbage from there on",
      tear: (bytes, at) => {
        const torn = new Uint8Array(bytes.length + 5000);
        for (let index = 0; index < torn.length; index += 1) torn[index] = (index * 193 + 7) & 0xff;
        torn.set(bytes.subarray(0, at));
        return torn;
      },
    },
  ];
  test.each(tails)(
    "[D6] is cut at the last good record: $description, at every byte",
    async ({ tear }) => {
      const left = (await logLeftBehind(2, 1)).contentOf(FIRST);
      const whole = (await logLeftBehind(3, 0)).contentOf(FIRST).length;
      const length = (whole - SEGMENT_HEADER_BYTES) / 3;
      // The last three bytes of the record's length are zeros in any case.
      for (let at = whole - length + 1; at < whole - 3; at += 1) {
        const disk = await logLeftBehind(2, 1);
        disk.setContent(FIRST, tear(left, at));
        await using log = await open(disk);
        expect(recnos(log)).toEqual([1, 2]);
        expect(log.tornTail).toMatchObject({
          segment: "0000000000000001.kml",
          offset: whole - length,
        });
        log.append([plainRecord(3)]);
        await log.sync();
        await using again = await open(disk);
        expect(again.tornTail).toBeNull();
        expect(recnos(again)).toEqual([1, 2, 3]);
      }
    },
  );

  test("[D6] with a hole of lost sectors and whole records behind it is cut at the hole", async () => {
    const disk = await logLeftBehind(2, 30);
    const bytes = disk.contentOf(FIRST).slice();
    bytes.fill(0, 1024, 2048);
    disk.setContent(FIRST, bytes);
    await using log = await open(disk);
    expect(log.tornTail).not.toBeNull();
    expect(log.head.recno).toBeGreaterThanOrEqual(2);
    expect(log.head.recno).toBeLessThan(10);
  });
});

describe("a segment that could not be made", () => {
  const NEXT = "kml/0000000000000007.kml";

  test("[D6] for want of room: the full one grows on, and nothing of it is left", async () => {
    let isFull = false;
    const disk = new MemoryDisk({
      onCall: ({ label, path }) => {
        if (isFull && label === "write" && path === NEXT) throw new DiskFault("ENOSPC", 20);
      },
    });
    const log = await open(disk, 1000);
    isFull = true;
    for (const record of plainRecords(1, 30)) {
      log.append([record]);
      await log.sync();
    }
    await log.close();
    await using reopened = await open(disk, 1000);
    expect(reopened.segments()[0]!.last).toBeGreaterThan(6);
    expect(reopened.segments().length).toBeGreaterThan(2);
    expect(recnos(reopened)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
  });

  test.each([0, 60, 128])("[D6] in a crash, with %i zeros of it: it is removed", async (size) => {
    const disk = await logLeftBehind(4, 2);
    disk.setContent(NEXT, new Uint8Array(size));
    const log = await open(disk, 1000);
    for (const record of plainRecords(7, 30)) {
      log.append([record]);
      await log.sync();
    }
    await log.close();
    await using reopened = await open(disk, 1000);
    expect(reopened.head.recno).toBe(30);
  });
});

describe("damage", () => {
  test("[D6] to a record with whole ones behind it is named, not skipped", async () => {
    const disk = await logLeftBehind(2, 3);
    const bytes = disk.contentOf(FIRST).slice();
    const offset = SEGMENT_HEADER_BYTES + ((bytes.length - SEGMENT_HEADER_BYTES) / 5) * 3;
    bytes[offset + 100]! ^= 1;
    disk.setContent(FIRST, bytes);
    await expect(open(disk)).rejects.toThrow(
      expect.objectContaining({
        code: "kml-damaged",
        data: expect.objectContaining({ segment: "0000000000000001.kml", offset }),
      }),
    );
  });

  test("[D6] to the very last record is found when it had been durable", async () => {
    const disk = new MemoryDisk();
    const log = await open(disk);
    log.append(plainRecords(1, 3));
    await log.close();
    const bytes = disk.contentOf(FIRST);
    const flipped = bytes.slice();
    flipped[flipped.length - 20]! ^= 0x10;
    disk.setContent(FIRST, flipped);
    await expect(open(disk)).rejects.toThrow("the checksum does not match, and record 3");
    disk.setContent(FIRST, bytes.slice(0, bytes.length - 50));
    await expect(open(disk)).rejects.toThrow(KmlDamageError);
    const length = (bytes.length - SEGMENT_HEADER_BYTES) / 3;
    disk.setContent(FIRST, bytes.slice(0, bytes.length - length));
    await expect(open(disk)).rejects.toThrow("record 3 was durable");
  });

  test.each([
    {
      description: "a segment is missing",
      damage: (disk: MemoryDisk, names: string[]) => disk.remove(names[1]!),
    },
    {
      description: "a sealed segment is short",
      damage: (disk: MemoryDisk, names: string[]) =>
        disk.setContent(names[1]!, disk.contentOf(names[1]!).slice(0, -1)),
    },
    {
      description: "a sealed segment is empty",
      damage: (disk: MemoryDisk, names: string[]) => disk.setContent(names[1]!, new Uint8Array(0)),
    },
    {
      description: "a segment has another's name",
      damage: (disk: MemoryDisk, names: string[]) =>
        disk.setContent(names[1]!, disk.contentOf(names[0]!)),
    },
    {
      description: "the last segment's header is bad",
      damage: (disk: MemoryDisk, names: string[]) =>
        disk.setContent(
          names.at(-1)!,
          disk.contentOf(names.at(-1)!).map((byte, index) => (index === 20 ? byte ^ 1 : byte)),
        ),
    },
  ])("[D6] is found when the log is opened: $description", async ({ damage }) => {
    const disk = new MemoryDisk();
    const log = await open(disk, 1000);
    for (const record of plainRecords(1, 30)) {
      log.append([record]);
      await log.sync();
    }
    await log.close();
    damage(
      disk,
      disk
        .list("kml")
        .toSorted()
        .map((name) => `kml/${name}`),
    );
    await expect(open(disk, 1000)).rejects.toThrow(KmlDamageError);
  });
});

/** Appends and syncs at the same time until the disk goes away; returns what was promised. */
async function writeUntilCrash(disk: MemoryDisk): Promise<{ appended: number; synced: number }> {
  const seen = { appended: 0, synced: 0 };
  try {
    const log = await open(disk, 1500);
    const append = async (): Promise<void> => {
      for (let recno = 1; recno <= 40; recno += 1) {
        log.append([plainRecord(recno)]);
        seen.appended = recno;
        if (recno % 3 !== 0) await Promise.resolve();
      }
    };
    const sync = async (): Promise<void> => {
      while (seen.synced < 40) {
        seen.synced = (await log.sync()).recno;
        if (seen.synced === seen.appended)
          await log.dropSegmentsBefore((seen.synced - 15) as Recno);
      }
    };
    await Promise.all([append(), sync()]);
    await log.close();
  } catch {
    // The disk is gone, and the process with it.
  }
  return seen;
}

describe("a crash at any call on the disk", () => {
  test("[D6] after a power cut there is a prefix that holds everything synced", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 250 }),
        fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
          minLength: 40,
          maxLength: 40,
        }),
        async (survivingCalls, numbers) => {
          let calls = 0;
          const disk = new MemoryDisk({
            onCall: () => {
              calls += 1;
              if (calls > survivingCalls) throw new DiskFault("EIO", Math.floor(numbers[0]! * 300));
            },
          });
          const seen = await writeUntilCrash(disk);
          let next = 0;
          const found = disk.powerCut(() => numbers[next++ % numbers.length]!);
          await using log = await open(found, 1500);
          const left = recnos(log);
          const { oldest } = log;
          expect(left).toEqual(left.map((_, index) => oldest + index));
          expect(log.head.recno).toBeGreaterThanOrEqual(seen.synced);
          expect(log.head.recno).toBeLessThanOrEqual(seen.appended + 1);
          log.append([plainRecord(log.head.recno + 1)]);
          await log.sync();
        },
      ),
      { numRuns: 500 },
    );
  });

  test("[D6] after kill -9 nothing that was appended is missing", async () => {
    for (let survivingCalls = 0; survivingCalls < 200; survivingCalls += 1) {
      let calls = 0;
      let isDead = false;
      const disk = new MemoryDisk({
        onCall: () => {
          calls += 1;
          if (!isDead && calls > survivingCalls) throw new DiskFault("EIO");
        },
      });
      const { appended } = await writeUntilCrash(disk);
      isDead = true;
      await using log = await open(disk, 1500);
      expect(log.head.recno).toBeGreaterThanOrEqual(appended);
      expect(log.head.recno).toBeLessThanOrEqual(appended + 1);
    }
  });
});

test("[D6] dropSegmentsBefore() leaves a log that opens after a power cut, whatever was not synced", async () => {
  for (const kept of [0, 0.99]) {
    const disk = new MemoryDisk();
    const log = await open(disk, 512);
    log.append(plainRecords(1, 10));
    // Ends in a new segment, of which nothing is durable.
    await log.sync();
    log.append(plainRecords(11, 12));
    await log.dropSegmentsBefore(11 as Recno);
    await using found = await open(disk.powerCut(() => kept));
    expect(found.oldest).toBe(11);
    expect(found.lastRecno).toBeGreaterThanOrEqual(10);
  }
});

test("[D6] nothing counts as durable that a power cut takes, where nobody syncs and segments fill up", async () => {
  const disk = new MemoryDisk();
  const log = await open(disk, 512);
  for (const record of plainRecords(1, 40)) log.append([record]);
  expect(log.segments().length).toBeGreaterThan(3);
  await using found = await open(disk.powerCut(() => 0));
  expect(found.lastRecno).toBeGreaterThanOrEqual(log.durable.recno);
});

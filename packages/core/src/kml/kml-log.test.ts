import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { arbitraryRecords } from "../testing/arbitrary-record.ts";
import { type DiskCall, DiskFault, MemoryDisk } from "../testing/memory-disk.ts";
import { PLAIN_PEER, plainRecord, plainRecords } from "../testing/plain-records.ts";
import type { FilesetId, PeerId, Recno } from "./identity.ts";
import { KmlAppendError, KmlBrokenError } from "./kml-log-errors.ts";
import type { KmlLog } from "./kml-log.ts";
import { RecnoNotInLogError } from "./kml-reader.ts";
import { openKmlLog, openKmlReader, WrongLogError } from "./open-kml-log.ts";
import { RunningHash, startPosition } from "./running-hash.ts";
import { bytesSource, scanRecords, scanRecordsBackwards } from "./scan-records.ts";
import { parseSegmentHeader, SEGMENT_HEADER_BYTES, segmentName } from "./segment-header.ts";

const FILESET = "f0".repeat(16) as FilesetId;
const open = (disk: MemoryDisk, segmentBytes = 2000): Promise<KmlLog> =>
  openKmlLog({ disk, dir: "kml", fileset: FILESET, peer: PLAIN_PEER, segmentBytes });
const recnos = (log: Pick<KmlLog, "read">, after = 0): number[] =>
  Array.from(log.read(after as Recno), (record) => record.recno);
const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

/** Appends one record at a time and syncs after each, so that segments are sealed as they fill. */
async function appendSynced(log: KmlLog, first: number, last: number): Promise<void> {
  for (const record of plainRecords(first, last)) {
    log.append([record]);
    await log.sync();
  }
}

describe("KmlLog.append()", () => {
  test("[D6] gives back the records as they were, from any place, over segments", async () => {
    await fc.assert(
      fc.asyncProperty(
        arbitraryRecords({ minLength: 1, maxLength: 30 }),
        fc.nat(),
        async (records, seed) => {
          const disk = new MemoryDisk();
          await using log = await open(disk);
          for (const record of records) {
            log.append([record]);
            if ((seed + record.recno) % 3 === 0) await log.sync();
          }
          const after = seed % records.length;
          const read = Array.from(log.read(after as Recno), (record) => record.decode());
          expect(read).toEqual(records.slice(after));
        },
      ),
      { numRuns: 50 },
    );
  });

  test("[D4] returns positions whose hash depends on every record so far", async () => {
    await using log = await open(new MemoryDisk());
    const positions = log.append(plainRecords(1, 3));
    const running = new RunningHash(startPosition(FILESET).hash);
    const expected = Array.from(log.read(0 as Recno), ({ recno, bytes }) => {
      running.extend(bytes);
      return { recno, hash: running.digits() };
    });
    expect(positions).toEqual(expected);
    expect(log.head).toEqual(positions.at(-1));
  });

  test("refuses a record that does not follow, and stays as it was", async () => {
    await using log = await open(new MemoryDisk());
    log.append(plainRecords(1, 2));
    expect(() => log.append([plainRecord(3), plainRecord(5)])).toThrow(
      "its recno is 5 where 4 follows",
    );
    expect(() => log.append([plainRecord(2)])).toThrow("its recno is 2 where 3 follows");
    log.append([plainRecord(3)]);
    expect(recnos(log)).toEqual([1, 2, 3]);
  });

  test.each([0, 1, 100, 300])(
    "takes back the %i bytes that a full disk let through, and goes on",
    async (writtenBytes) => {
      let isFull = false;
      const onCall = ({ label }: DiskCall): void => {
        if (isFull && label === "write") throw new DiskFault("ENOSPC", writtenBytes);
      };
      const disk = new MemoryDisk({ onCall });
      const log = await open(disk);
      log.append(plainRecords(1, 2));
      const { head } = log;
      isFull = true;
      expect(() => log.append(plainRecords(3, 4))).toThrow(KmlAppendError);
      expect(() => log.append(plainRecords(3, 4))).toThrow(
        expect.objectContaining({ cause: expect.objectContaining({ code: "ENOSPC" }) }),
      );
      expect(log.head).toEqual(head);
      // A process that dies here must not leave what it was told had failed.
      expect(openKmlReader(disk, "kml").lastRecno).toBe(2);
      isFull = false;
      log.append(plainRecords(3, 3));
      await log.close();
      await using reopened = await open(disk);
      expect(reopened.tornTail).toBeNull();
      expect(recnos(reopened)).toEqual([1, 2, 3]);
    },
  );
});

/** A disk that can be full: neither writes nor reservations find room then. */
function fillableDisk(): { disk: MemoryDisk; fill: (isFull: boolean) => void } {
  let isFull = false;
  const onCall = ({ label }: DiskCall): void => {
    if (isFull && (label === "write" || label === "reserve")) throw new DiskFault("ENOSPC");
  };
  return { disk: new MemoryDisk({ onCall }), fill: (full) => (isFull = full) };
}

describe("KmlLog.reserve()", () => {
  test("keeps room for the records that were announced, and refuses others on a full disk", async () => {
    const { disk, fill } = fillableDisk();
    await using log = await open(disk);
    const records = plainRecords(1, 3);
    log.reserveFor(records, 0);
    fill(true);
    log.append(records);
    expect(recnos(log)).toEqual([1, 2, 3]);
    const { head } = log;
    expect(() => log.reserve(1024 * 1024)).toThrow(
      expect.objectContaining({ code: "kml-append-failed" }),
    );
    expect(log.head).toEqual(head);
    fill(false);
    log.reserve(1024 * 1024);
  });

  test("keeps the room when a segment is full, in it or in the next", async () => {
    for (const isFullBefore of [false, true]) {
      const { disk, fill } = fillableDisk();
      const log = await open(disk, 300);
      log.reserve(64 * 1024);
      log.append(plainRecords(1, 5));
      fill(isFullBefore);
      await log.sync();
      expect(log.segments()).toHaveLength(isFullBefore ? 1 : 2);
      fill(true);
      log.append(plainRecords(6, 20));
      expect(recnos(log)).toHaveLength(20);
      fill(false);
      await log.close();
    }
  });
});

describe("KmlLog.sync()", () => {
  test("group commit: callers that come while one runs share the next", async () => {
    const started: (() => void)[] = [];
    let isHeld = false;
    const whileSyncing = async ({ label }: DiskCall): Promise<void> => {
      if (isHeld && label === "sync") await new Promise<void>((resolve) => started.push(resolve));
    };
    await using log = await open(new MemoryDisk({ whileSyncing }));
    isHeld = true;
    log.append([plainRecord(1)]);
    const first = log.sync();
    await Promise.resolve();
    await Promise.resolve();
    log.append([plainRecord(2)]);
    const [second, third] = [log.sync(), log.sync()];
    expect(started).toHaveLength(1);
    started[0]!();
    expect((await first).recno).toBe(1);
    expect(log.durable.recno).toBe(1);
    while (started.length < 2) await Promise.resolve();
    started[1]!();
    expect((await second).recno).toBe(2);
    expect((await third).recno).toBe(2);
    expect(started).toHaveLength(2);
    isHeld = false;
  });

  test("says nothing is durable after the device failed, until the log is opened again", async () => {
    let isFailing = false;
    const onCall = ({ label }: DiskCall): void => {
      if (isFailing && label === "sync") throw new DiskFault("EIO");
    };
    const disk = new MemoryDisk({ onCall });
    const log = await open(disk);
    log.append([plainRecord(1)]);
    await log.sync();
    log.append([plainRecord(2)]);
    isFailing = true;
    const shared = [log.sync(), log.sync()];
    for (const caller of shared) await expect(caller).rejects.toThrow(KmlBrokenError);
    isFailing = false;
    await expect(log.sync()).rejects.toThrow(KmlBrokenError);
    expect(() => log.append([plainRecord(3)])).toThrow(KmlBrokenError);
    expect(log.durable.recno).toBe(1);
    await log.close();
    const reopened = await open(disk);
    expect(reopened.durable.recno).toBe(2);
    // The disk has kept what the kernel had given up: the power cut leaves nothing but the durable.
    await using found = await open(disk.powerCut(() => 0));
    expect(recnos(found)).toEqual([1, 2]);
    await reopened.close();
  });

  test("[D6] seals a full segment only when all of it is durable", async () => {
    const disk = new MemoryDisk();
    await using log = await open(disk);
    await appendSynced(log, 1, 30);
    const segments = log.segments();
    expect(segments.length).toBeGreaterThan(2);
    expect(segments.map((segment) => segment.isSealed)).toEqual([
      ...segments.slice(1).map(() => true),
      false,
    ]);
    expect(segments.map(({ first }) => first).slice(1)).toEqual(
      segments.slice(0, -1).map(({ last }) => last + 1),
    );
  });

  test("[D6] a log that nobody syncs seals its segments all the same", async () => {
    const disk = new MemoryDisk();
    await using log = await open(disk);
    for (const record of plainRecords(1, 60)) log.append([record]);
    const sealed = log.segments().filter((segment) => segment.isSealed);
    expect(sealed.length).toBeGreaterThan(1);
    // The later ones are durable but for their names.
    expect(log.durable.recno).toBe(sealed[0]!.last);
    for (const { first } of sealed) {
      const path = `kml/${segmentName(first)}`;
      const records = disk.contentOf(path).subarray(SEGMENT_HEADER_BYTES);
      expect(disk.durableContentOf(path).subarray(SEGMENT_HEADER_BYTES)).toEqual(records);
    }
    expect(recnos(log)).toEqual(range(1, 60));
    await log.sync();
    expect(log.durable.recno).toBe(60);
  });
});

describe("KmlLog.read()", () => {
  test("stops at each limit, and always gives one record", async () => {
    await using log = await open(new MemoryDisk());
    await appendSynced(log, 1, 30);
    const length = log.read(0 as Recno).next().value!.bytes.length;
    const count = (options: Parameters<KmlLog["read"]>[1]): number =>
      Array.from(log.read(3 as Recno, options)).length;
    expect(count({ limitRecords: 12 })).toBe(12);
    expect(count({ limitBytes: 1 })).toBe(1);
    expect(count({ limitBytes: 3 * length })).toBe(3);
    expect(count({ upTo: 20 as Recno })).toBe(17);
    expect(count({ upTo: 3 as Recno })).toBe(0);
    expect(recnos(log, 30)).toEqual([]);
  });

  test("never reads a segment at once", async () => {
    const reads: number[] = [];
    const disk = new MemoryDisk();
    await using log = await open(disk, 1 << 20);
    log.append(plainRecords(1, 4000));
    const file = disk.open("kml/0000000000000001.kml", "read");
    const source = {
      read: (offset: number, length: number): Uint8Array => {
        reads.push(length);
        return file.read(offset, length);
      },
    };
    const end = file.sizeBytes();
    const scanned = { source, segment: "s", start: SEGMENT_HEADER_BYTES, end };
    expect(Array.from(scanRecords(scanned, 1 as Recno))).toHaveLength(4000);
    expect(Array.from(scanRecordsBackwards(scanned, 4000 as Recno))).toHaveLength(4000);
    expect(Math.max(...reads)).toBe(64 * 1024);
  });
});

describe("KmlLog.positionAt()", () => {
  test("[D6] gives the position of every record, in this process and the next", async () => {
    const disk = new MemoryDisk();
    const log = await open(disk, 40_000);
    const positions = [startPosition(FILESET)];
    for (let first = 1; first <= 900; first += 9) {
      positions.push(...log.append(plainRecords(first, first + 8)));
      await log.sync();
    }
    const check = (reader: Pick<KmlLog, "positionAt">): void => {
      for (const position of positions) expect(reader.positionAt(position.recno)).toEqual(position);
    };
    check(log);
    await log.close();
    check(openKmlReader(disk, "kml"));
    expect(() => log.positionAt(901 as Recno)).toThrow(RecnoNotInLogError);
  });
});

describe("KmlLog.dropSegmentsBefore()", () => {
  test("removes whole segments, and the log is the same from there", async () => {
    const disk = new MemoryDisk();
    const log = await open(disk);
    await appendSynced(log, 1, 40);
    const { head } = log;
    const oldest = await log.dropSegmentsBefore(25 as Recno);
    expect(oldest).toBeLessThanOrEqual(25);
    expect(oldest).toBeGreaterThan(10);
    const before = log.positionAt((oldest - 1) as Recno);
    expect(() => log.read((oldest - 2) as Recno).next()).toThrow(RecnoNotInLogError);
    expect(recnos(log, oldest - 1)).toEqual(range(oldest, 40));
    await log.close();
    await using reopened = await open(disk);
    expect(reopened.oldest).toBe(oldest);
    expect(reopened.head).toEqual(head);
    expect(reopened.positionAt(before.recno)).toEqual(before);
    expect(await reopened.dropSegmentsBefore(1000 as Recno)).toBe(reopened.segments()[0]!.first);
    reopened.append([plainRecord(41)]);
  });
});

describe("KmlLog.sealSegment()", () => {
  test("lets all records be dropped, and the log goes on behind them", async () => {
    const disk = new MemoryDisk();
    const log = await open(disk, 1 << 20);
    log.append(plainRecords(1, 5));
    await log.sealSegment();
    await log.sealSegment();
    expect(log.segments().map(({ first, isSealed }) => [first, isSealed])).toEqual([
      [1, true],
      [6, false],
    ]);
    const { head } = log;
    expect(await log.dropSegmentsBefore(6 as Recno)).toBe(6);
    await log.close();
    await using reopened = await open(disk, 1 << 20);
    expect(reopened.head).toEqual(head);
    reopened.append([plainRecord(6)]);
    expect(recnos(reopened, 5)).toEqual([6]);
  });
});

describe("KmlLog.readSegment()", () => {
  test("[D6] gives the same bytes for ever, whole or in parts, and verifiable alone", async () => {
    const disk = new MemoryDisk();
    const log = await open(disk);
    await appendSynced(log, 1, 40);
    const { first, last, sizeBytes } = log.segments()[1]!;
    const whole = log.readSegment(first);
    expect(whole).toHaveLength(sizeBytes);
    const parts = [...log.readSegment(first, 0, 100), ...log.readSegment(first, 100)];
    expect(Uint8Array.from(parts)).toEqual(whole);
    const header = parseSegmentHeader(whole, "a mirror");
    const running = new RunningHash(header.hashBefore);
    const source = bytesSource(whole);
    for (const record of scanRecords(
      { source, segment: "a mirror", start: SEGMENT_HEADER_BYTES, end: whole.length },
      header.first,
    )) {
      running.extend(record.bytes);
    }
    expect(running.digits()).toBe(log.positionAt(last).hash);
    await log.close();
    await using reopened = await open(disk);
    expect(reopened.readSegment(first)).toEqual(whole);
    expect(() => reopened.readSegment(reopened.segments().at(-1)!.first)).toThrow(
      RecnoNotInLogError,
    );
  });
});

test("[D6] a log reads the same forwards and backwards", async () => {
  await fc.assert(
    fc.asyncProperty(arbitraryRecords({ minLength: 1, maxLength: 20 }), async (records) => {
      const disk = new MemoryDisk();
      await using log = await open(disk, 1 << 20);
      log.append(records);
      const bytes = disk.contentOf("kml/0000000000000001.kml");
      const scanned = {
        source: bytesSource(bytes),
        segment: "s",
        start: SEGMENT_HEADER_BYTES,
        end: bytes.length,
      };
      const forwards = Array.from(scanRecords(scanned, 1 as Recno), (record) => record.decode());
      const backwards = Array.from(
        scanRecordsBackwards(scanned, records.length as Recno),
        (record) => record.decode(),
      );
      expect(forwards).toEqual(records);
      expect(backwards.toReversed()).toEqual(records);
    }),
  );
});

test.each([
  { description: "fileset", fileset: "e0".repeat(16) as FilesetId, peer: PLAIN_PEER },
  { description: "peer", fileset: FILESET, peer: "b0".repeat(16) as PeerId },
])("openKmlLog() refuses the log of another $description", async ({ fileset, peer }) => {
  const disk = new MemoryDisk();
  await (await open(disk)).close();
  await expect(openKmlLog({ disk, dir: "kml", fileset, peer })).rejects.toThrow(WrongLogError);
});

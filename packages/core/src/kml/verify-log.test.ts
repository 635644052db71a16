import { expect, test } from "vitest";

import { MemoryDisk } from "../testing/memory-disk.ts";
import { PLAIN_PEER, plainRecords } from "../testing/plain-records.ts";
import { crc32c } from "./crc32c.ts";
import type { FilesetId } from "./identity.ts";
import { openKmlLog } from "./open-kml-log.ts";
import { verifyLog } from "./verify-log.ts";

const FILESET = "f0".repeat(16) as FilesetId;
const SEALED = "kml/0000000000000001.kml";

async function sealedLog(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  await using log = await openKmlLog({
    disk,
    dir: "kml",
    fileset: FILESET,
    peer: PLAIN_PEER,
    segmentBytes: 500,
  });
  for (const record of plainRecords(1, 8)) {
    log.append([record]);
    await log.sync();
  }
  return disk;
}

test("[D6] verifyLog() gives the position behind each segment", async () => {
  const disk = await sealedLog();
  const segments = [...verifyLog(disk, "kml")];
  expect(segments.length).toBeGreaterThan(2);
  await using log = await openKmlLog({ disk, dir: "kml", fileset: FILESET, peer: PLAIN_PEER });
  for (const { end } of segments) expect(end).toEqual(log.positionAt(end.recno));
  expect(segments.at(-1)!.end).toEqual(log.head);
});

test("[D6] verifyLog() finds any single flipped bit of a sealed segment and names the place", async () => {
  const disk = await sealedLog();
  const bytes = disk.contentOf(SEALED).slice();
  for (let bit = 0; bit < 8 * bytes.length; bit += 1) {
    const flipped = bytes.slice();
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    disk.setContent(SEALED, flipped);
    expect(() => [...verifyLog(disk, "kml")]).toThrow(
      expect.objectContaining({
        data: expect.objectContaining({
          segment: "0000000000000001.kml",
          offset: expect.any(Number),
        }),
      }),
    );
  }
});

test("[D6] verifyLog() finds a record that was exchanged for another intact one", async () => {
  const disk = await sealedLog();
  const bytes = disk.contentOf(SEALED).slice();
  const view = new DataView(bytes.buffer);
  const length = view.getUint32(128, true);
  bytes[128 + 16]! ^= 1;
  view.setUint32(128 + length - 8, crc32c(bytes, 128, 128 + length - 8), true);
  disk.setContent(SEALED, bytes);
  expect(() => [...verifyLog(disk, "kml")]).toThrow(
    "its running hash is not that of the segment before",
  );
});

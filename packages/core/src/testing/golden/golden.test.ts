import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { decodeRecord } from "../../kml/decode-record.ts";
import { encodeRecord } from "../../kml/encode-record.ts";
import { OPCODES } from "../../kml/opcode.ts";
import { openKmlReader } from "../../kml/open-kml-log.ts";
import type { ReplicatedOperation } from "../../kml/operation.ts";
import { computeOriginCheck } from "../../kml/origin-check.ts";
import { KML_VERSION } from "../../kml/record-layout.ts";
import { verifyLog } from "../../kml/verify-log.ts";
import { MemoryDisk } from "../memory-disk.ts";
import { GOLDEN_SEGMENT, goldenFiles } from "./golden-files.ts";
import { goldenLog, goldenRecords } from "./golden-records.ts";

const dir = join(import.meta.dirname, `../../kml/golden/v${KML_VERSION}`);
const read = (name: string): Uint8Array => new Uint8Array(readFileSync(join(dir, name)));

describe("golden bytes", () => {
  test.each(goldenRecords.map((record) => [record.operation.opcode, record] as const))(
    "[D5] of %s decode to what they were made of, and encode to the same",
    (opcode, record) => {
      const bytes = read(`${opcode.toLowerCase()}.record`);
      expect(decodeRecord(bytes)).toEqual(record);
      expect(encodeRecord(decodeRecord(bytes))).toEqual(bytes);
    },
  );

  test("[D5] are there for every opcode", () => {
    expect(goldenRecords.map((record) => record.operation.opcode).toSorted()).toEqual(
      Object.keys(OPCODES).toSorted(),
    );
  });

  test("[P2] of an origin check are what every client has ever sent", () => {
    const operation = goldenRecords[1]!.operation as ReplicatedOperation;
    expect(computeOriginCheck({ ...goldenRecords[1]!, operation })).toBe("17560da2adc310d9");
  });

  test("[D6] of a segment verify, and hold every record", () => {
    const disk = new MemoryDisk();
    disk.makeDirectory("kml");
    disk.setContent("kml/0000000000000001.kml", read(GOLDEN_SEGMENT));
    const reader = openKmlReader(disk, "kml");
    expect(reader.header).toMatchObject({ ...goldenLog, first: 1 });
    expect(Array.from(reader.read(reader.header.first), (record) => record.decode())).toEqual(
      goldenRecords.slice(1),
    );
    expect([...verifyLog(disk, "kml")].map(({ end }) => end)).toEqual([
      reader.positionAt(reader.lastRecno),
    ]);
  });

  test("[D6] a change of bytes bumps KML_VERSION: what this program writes is what it once wrote", async () => {
    const written = await goldenFiles();
    expect([...written.keys()].toSorted()).toEqual(readdirSync(dir).toSorted());
    for (const [name, bytes] of written) expect(bytes).toEqual(read(name));
  });

  test("[D6] the golden files of a version are themselves never written anew", () => {
    const digest = createHash("sha256");
    for (const name of readdirSync(dir).toSorted()) digest.update(name).update(read(name));
    // Another digest means: another version, with a directory of its own.
    expect({ [KML_VERSION]: digest.digest("hex") }).toEqual({
      1: "cc30250c0fb63ad0aad64f924a62fab58fb49ddf59dcc1412d87dd80973d366e",
    });
  });
});

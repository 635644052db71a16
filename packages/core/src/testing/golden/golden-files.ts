import { encodeRecord } from "../../kml/encode-record.ts";
import type { FilesetId, PeerId } from "../../kml/identity.ts";
import { openKmlLog } from "../../kml/open-kml-log.ts";
import { MemoryDisk } from "../memory-disk.ts";
import { goldenLog, goldenRecords } from "./golden-records.ts";

/** Name of the file that holds all records as one segment. */
export const GOLDEN_SEGMENT = "segment.kml";

/** The golden files as this program would write them: one per opcode and one segment of all. */
export async function goldenFiles(): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const record of goldenRecords) {
    files.set(`${record.operation.opcode.toLowerCase()}.record`, encodeRecord(record));
  }
  const disk = new MemoryDisk();
  const fileset = goldenLog.fileset as FilesetId;
  const log = await openKmlLog({ disk, dir: "kml", fileset, peer: goldenLog.peer as PeerId });
  log.append(goldenRecords);
  await log.close();
  files.set(GOLDEN_SEGMENT, disk.contentOf("kml/0000000000000001.kml"));
  return files;
}

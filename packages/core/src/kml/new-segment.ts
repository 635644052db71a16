import type { Disk, DiskFile } from "./disk.ts";
import type { Recno } from "./identity.ts";
import { encodeSegmentHeader, SEGMENT_HEADER_BYTES, type SegmentHeader } from "./segment-header.ts";

/** The state of a segment behind `recno` that holds nothing yet. */
export function emptySegment(recno: Recno): {
  last: Recno;
  sizeBytes: number;
  isSealed: boolean;
} {
  return { last: recno, sizeBytes: SEGMENT_HEADER_BYTES, isSealed: false };
}

/** Makes a segment's file with its header; neither is durable yet. */
export function createSegment(disk: Disk, path: string, header: SegmentHeader): DiskFile {
  const file = disk.open(path, "create");
  try {
    file.write(0, encodeSegmentHeader(header));
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

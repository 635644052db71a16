import type { ByteReader } from "../kml/byte-reader.ts";
import { ByteWriter } from "../kml/byte-writer.ts";
import type { Oid, PeerId, Sha256 } from "../kml/identity.ts";
import { parseName } from "../kml/name.ts";
import { type Frame, readFrames, writeFrame } from "./frame.ts";
import { readPayload } from "./read-payload.ts";
import {
  readEntry,
  readObject,
  readOutcome,
  readRecno,
  writeEntry,
  writeObject,
  writeOutcome,
  writeVersion,
} from "./snapshot-row-codec.ts";
import type { SnapshotRow } from "./snapshot-row.ts";
import { WireFormatError } from "./wire-format-error.ts";

const WHAT = "snapshot";

/** Types of frames. Rows come in the order of their types; a new type takes the next number. */
const TYPES = {
  start: 1,
  object: 2,
  entry: 3,
  alias: 4,
  tombstone: 5,
  outcome: 6,
  end: 7,
} as const satisfies Record<SnapshotRow["kind"], number>;

/**
 * Longest row: an object with every extended attribute that Linux lets it have. `XATTR_LIST_MAX` is
 * 64 KiB of names and file systems bound the sum of values far below this.
 */
const MAX_ROW_BYTES = 16 * 1024 * 1024;

/** Rows are gathered into chunks of about this size: a chunk per row would cost more than the row. */
const CHUNK_BYTES = 64 * 1024;

/** The query of a request for a snapshot: whose outcomes are wanted. */
export function writeSnapshotRequest(peer: PeerId): string {
  return new URLSearchParams({ peer }).toString();
}

/** The body of a snapshot, in chunks that the receiver may keep. */
export function* writeSnapshotResponse(
  rows: Iterable<SnapshotRow>,
): Generator<Uint8Array<ArrayBuffer>, void> {
  const w = new ByteWriter();
  for (const row of rows) {
    writeFrame(w, TYPES[row.kind], () => writeRow(w, row));
    if (w.length < CHUNK_BYTES) continue;
    yield w.bytes.slice();
    w.reset();
  }
  if (w.length > 0) yield w.bytes.slice();
}

/**
 * Reads a snapshot as it arrives. What it yields may be used when `end` was yielded, not before.
 *
 * @throws WireFormatError when it is malformed, out of order, or ends before its end
 */
export async function* parseSnapshotResponse(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<SnapshotRow, void> {
  let last = 0;
  let rows = 0;
  for await (const frames of readFrames(WHAT, chunks, MAX_ROW_BYTES)) {
    for (const frame of frames) {
      const row = readRow(frame);
      checkOrder(frame.type, last);
      if (row.kind === "end" && row.rows !== rows) {
        throw new WireFormatError(WHAT, `it has ${rows} rows, but says ${row.rows}`);
      }
      last = frame.type;
      rows += 1;
      yield row;
    }
  }
  if (last !== TYPES.end) throw new WireFormatError(WHAT, "it is cut off");
}

function checkOrder(type: number, last: number): void {
  const isFirst = last === 0;
  if (isFirst !== (type === TYPES.start)) {
    throw new WireFormatError(WHAT, "its start is missing or repeated");
  }
  if (type < last || last === TYPES.end) {
    throw new WireFormatError(WHAT, `a row of type ${type} follows one of type ${last}`);
  }
}

function writeRow(w: ByteWriter, row: SnapshotRow): void {
  switch (row.kind) {
    case "start":
      w.u53(row.position.recno, "recno");
      w.hex(row.position.hash, 32, "running hash");
      w.u53(row.oldestRecno, "oldest recno");
      w.u53(row.received.recno, "last received recno");
      return w.hex(row.received.check, 8, "check");
    case "object":
      return writeObject(w, row.object);
    case "entry":
      return writeEntry(w, row.entry);
    case "alias":
      w.hex(row.alias, 16, "alias");
      return w.hex(row.oid, 16, "oid");
    case "tombstone": {
      const { object, parent, name, removedAt } = row.tombstone;
      writeObject(w, object);
      w.hex(parent, 16, "parent");
      w.text8(parseName(name), "name");
      return writeVersion(w, removedAt);
    }
    case "outcome":
      w.hex(row.origin.peer, 16, "peer");
      w.u53(row.origin.recno, "origin recno");
      return writeOutcome(w, row.outcome);
    case "end":
      return w.u53(row.rows, "count of rows");
  }
}

const READERS: Readonly<Record<number, (r: ByteReader) => SnapshotRow>> = {
  [TYPES.start]: (r) => ({
    kind: "start",
    position: { recno: readRecno(r), hash: r.hash() as Sha256 },
    oldestRecno: readRecno(r),
    received: { recno: readRecno(r), check: r.check() },
  }),
  [TYPES.object]: (r) => ({ kind: "object", object: readObject(r) }),
  [TYPES.entry]: (r) => ({ kind: "entry", entry: readEntry(r) }),
  [TYPES.alias]: (r) => ({ kind: "alias", alias: r.id() as Oid, oid: r.id() as Oid }),
  [TYPES.tombstone]: (r) => ({
    kind: "tombstone",
    tombstone: {
      object: readObject(r),
      parent: r.id() as Oid,
      name: parseName(r.text8()),
      removedAt: readRecno(r),
    },
  }),
  [TYPES.outcome]: (r) => ({
    kind: "outcome",
    origin: { peer: r.id() as PeerId, recno: readRecno(r) },
    outcome: readOutcome(r),
  }),
  [TYPES.end]: (r) => ({ kind: "end", rows: r.u53("count of rows") }),
};

function readRow({ type, payload }: Frame): SnapshotRow {
  const read = READERS[type];
  if (read === undefined) throw new WireFormatError(WHAT, `rows of type ${type} are not known`);
  return readPayload(WHAT, payload, read);
}

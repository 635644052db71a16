import type { FilesetId, PeerId, Recno } from "../kml/identity.ts";
import { JsonFields } from "./json-fields.ts";

/** A peer as its server knows it. */
export interface PeerStatus {
  readonly peer: PeerId;
  readonly host: string;
  /** The last of its records that the log holds. */
  readonly receivedRecno: Recno;
  /** The last record that it is known to have replayed: what its last poll asked to follow. */
  readonly replayedRecno: Recno;
  readonly lastSeenMs: number;
}

/** What `izo status URL` shows of a fileset. */
export interface FilesetStatus {
  readonly filesetName: string;
  readonly filesetId: FilesetId;
  readonly serverPeer: PeerId;
  readonly headRecno: Recno;
  readonly oldestRecno: Recno;
  /** Regular files in the tree, and the sum of their sizes. */
  readonly files: number;
  readonly bytes: number;
  /** Size of the log on disk. */
  readonly logBytes: number;
  /** Contents that were replaced or removed and are kept (design D8). */
  readonly oldContents: { readonly count: number; readonly bytes: number };
  readonly peers: readonly PeerStatus[];
  /** How direct changes in the exported directory are noticed. */
  readonly watching: "inotify" | "scanning" | "off";
  /** A scan that would remove so much that it waits for a confirmation (design S4); null for none. */
  readonly heldRemoval: { readonly removed: number; readonly objects: number } | null;
  /** Paths that could not be read or applied; the rest goes on. */
  readonly problems: readonly { readonly path: string; readonly message: string }[];
}

export function writeStatusResponse(status: FilesetStatus): string {
  return JSON.stringify(status);
}

/** @throws WireFormatError */
export function parseStatusResponse(body: string): FilesetStatus {
  const fields = JsonFields.parse("status", body);
  return {
    filesetName: fields.text("filesetName"),
    filesetId: fields.id("filesetId"),
    serverPeer: fields.id("serverPeer"),
    headRecno: fields.recno("headRecno"),
    oldestRecno: fields.recno("oldestRecno"),
    files: fields.whole("files"),
    bytes: fields.whole("bytes"),
    logBytes: fields.whole("logBytes"),
    oldContents: parseOldContents(fields.fields("oldContents")),
    peers: fields.list("peers", parsePeer),
    watching: fields.oneOf("watching", ["inotify", "scanning", "off"]),
    heldRemoval: fields.nullable("heldRemoval", () =>
      parseHeldRemoval(fields.fields("heldRemoval")),
    ),
    problems: fields.list("problems", (problem) => ({
      path: problem.text("path"),
      message: problem.text("message"),
    })),
  };
}

function parsePeer(fields: JsonFields): PeerStatus {
  return {
    peer: fields.id("peer"),
    host: fields.text("host"),
    receivedRecno: fields.recno("receivedRecno"),
    replayedRecno: fields.recno("replayedRecno"),
    lastSeenMs: fields.whole("lastSeenMs"),
  };
}

function parseOldContents(fields: JsonFields): { count: number; bytes: number } {
  return { count: fields.whole("count"), bytes: fields.whole("bytes") };
}

function parseHeldRemoval(fields: JsonFields): { removed: number; objects: number } {
  return { removed: fields.whole("removed"), objects: fields.whole("objects") };
}

/**
 * Names that both sides of the wire use: version, headers, media types (design §6). Server and client
 * take them from here; nothing else spells them.
 */

/** Version of the protocol; both sides state theirs in {@link HEADERS.protocol}. */
export const PROTOCOL_VERSION = 1;

export const HEADERS = {
  /** Protocol version of the sender, a whole number. */
  protocol: "Izo-Protocol",
  /** The log's durable head when the answer was made, as a position. */
  head: "Izo-Head",
  /** The peer that polls, and its host: for the server's status. */
  peer: "Izo-Peer",
  /** On a poll: contents up to so many bytes are welcome beside the records that name them. */
  contents: "Izo-Contents",
  /** `?1` on a push that may remove nearly everything: a person has confirmed it. */
  removalConfirmed: "Izo-Removal-Confirmed",
  /** Names one request in the logs of both sides; made by the client, else by the server. */
  requestId: "Izo-Request-Id",
  /** Where a feed of events that was cut off goes on; browsers send it by themselves (WHATWG HTML, 9.2). */
  lastEventId: "Last-Event-ID",
  /** Bytes of an upload that the server holds, or from which a PUT goes on. Names and forms of the three
   * are those of draft-ietf-httpbis-resumable-upload. */
  uploadOffset: "Upload-Offset",
  /** `?1` when the server needs nothing more of this content, else `?0`. */
  uploadComplete: "Upload-Complete",
  /** Size of the whole content whose rest a PUT brings. */
  uploadLength: "Upload-Length",
} as const;

export const MEDIA_TYPES = {
  /** Concatenated records, as their bytes stand in the log: `docs/formats/kml.md`. */
  kml: "application/vnd.intermezzo.kml",
  /** Frames: such records, and small contents that they name. */
  kmlWithContents: "application/vnd.intermezzo.kml-with-contents",
  /** One sealed segment of a log, header and all. */
  segment: "application/vnd.intermezzo.kml-segment",
  /** Frames of snapshot rows: `docs/protocol.md`. */
  snapshot: "application/vnd.intermezzo.snapshot",
  /** Frames of small contents. */
  contentPack: "application/vnd.intermezzo.content-pack",
  /** A batch of a client's records. */
  reintegrate: "application/vnd.intermezzo.reintegrate",
  json: "application/json",
  ndjson: "application/x-ndjson",
  events: "text/event-stream",
  problem: "application/problem+json",
  bytes: "application/octet-stream",
} as const;

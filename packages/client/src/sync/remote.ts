import type {
  FilesetProfile,
  InlineContent,
  PeerId,
  Position,
  Recno,
  ReintegrateRequest,
  ReintegrateResponse,
  ServerRecord,
  Sha256,
  SnapshotRow,
} from "@izo/core";

/** Records of the server's log behind a position. */
export interface PolledRecords {
  /** In the order of the log, without a gap; empty when the wait ended without any. */
  readonly records: readonly ServerRecord[];
  /** The place behind the last of them: its hash was computed here, from the bytes received. */
  readonly last: Position;
  /** The log's head when the answer was made. */
  readonly head: Position;
}

export interface PollOptions {
  /** How long the server may hold the answer back while there is nothing new; 0 for not at all. */
  readonly waitSeconds?: number;
  readonly limitRecords?: number;
  /** Who asks, for the server's status. */
  readonly peer?: PeerId;
  /**
   * Small contents that records name may come along, up to so many bytes each: `fetchContent` has them at once
   * for a time. None by default.
   */
  readonly contentsUpTo?: number;
}

/** A content, or the rest of one, on its way. */
export interface RemoteContent<Piece = Uint8Array> {
  /** Size of the whole content, not of the rest. */
  readonly sizeBytes: number;
  /**
   * The bytes from the asked offset to the asked end. A cut connection is taken up where it broke off,
   * a bounded number of times. The caller checks the hash: it holds the rest.
   */
  readonly bytes: AsyncIterable<Piece>;
}

export interface ContentOptions {
  readonly offsetBytes?: number;
  /** Where to stop, exclusive; the end of the content by default. */
  readonly endBytes?: number;
  /** How much of the content is here, for those who look at the transfer, where it comes in several streams. */
  readonly presentBytes?: () => number;
  /** A program waits for it: it does not wait for what is fetched ahead. */
  readonly isAwaited?: boolean;
  /** Ask the server itself, not the caches in between: after bytes with a wrong hash. */
  readonly bypassCaches?: boolean;
}

/**
 * The server of one fileset, as InterSync and the cache need it. Every method ends with one of
 *
 * - `RemoteProblemError`: the server refuses, with a `code` of the protocol and an HTTP `status`;
 * - `RemoteUnreachableError`: no answer, or none in time: try again later;
 * - `RemoteProtocolError`: an answer that the protocol does not allow: a wrong or hostile server;
 * - the reason of `signal`, when that was aborted.
 *
 * No method retries a request whose repetition could have another effect; those that may be repeated
 * are, only where it says so.
 */
export interface Remote extends AsyncDisposable {
  profile(signal?: AbortSignal): Promise<FilesetProfile>;

  /** Records behind `after`; `log-truncated` when they were cut off, `log-diverged` when it is no place of this log. */
  poll(after: Position, options?: PollOptions, signal?: AbortSignal): Promise<PolledRecords>;

  /** The tree at a stated position. The rows come in their stated order, ending with `end`. */
  snapshot(peer: PeerId, signal?: AbortSignal): AsyncIterable<SnapshotRow>;

  /** A content by its hash; `content-superseded` with `data.recno` when a newer one has replaced it. */
  fetchContent(
    sha256: Sha256,
    options?: ContentOptions,
    signal?: AbortSignal,
  ): Promise<RemoteContent>;

  /**
   * The contents up to 64 KiB that the CLOSEs behind `after` up to `until` name, as far as the server
   * still has them; each was checked against its hash.
   */
  fetchPack(after: Recno, until: Recno, signal?: AbortSignal): AsyncIterable<InlineContent>;

  /** Hands over a batch. Sending the same batch again has the same effect as once (design P1). */
  push(request: ReintegrateRequest, signal?: AbortSignal): Promise<ReintegrateResponse>;

  /**
   * Uploads a content, going on where an earlier upload was cut; when it returns, the server holds all
   * of it durably. `wrong-hash` when the source gave other bytes.
   *
   * @param source the content's bytes from an offset to its end
   */
  upload(
    sha256: Sha256,
    sizeBytes: number,
    source: (offsetBytes: number) => AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<void>;
}

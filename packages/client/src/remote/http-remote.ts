/**
 * A fileset's server over HTTP: the {@link Remote} of InterSync and the cache.
 *
 * It keeps connections and nothing else; a crash here loses nothing. Everything that comes in is bounded
 * and checked before it is handed on, because a server may be wrong or hostile (design promise 6).
 */

import { hash } from "node:crypto";
import { hostname } from "node:os";

import {
  type ConflictReport,
  type FilesetProfile,
  type FilesetStatus,
  HEADERS,
  type InlineContent,
  MAX_JSON_BYTES,
  MAX_PACK_RECNOS,
  MAX_POLL_BYTES,
  MAX_POLL_CONTENT_BYTES,
  MAX_POLL_RECORDS,
  MAX_RECORD_BYTES,
  MEDIA_TYPES,
  parseConflictsResponse,
  parseContentPackResponse,
  parsePeersResponse,
  parsePermitResponse,
  parsePermitsResponse,
  parsePollResponse,
  parsePollWithContents,
  parsePosition,
  parsePositionResponse,
  parseProfileResponse,
  parseReintegrateResponse,
  parseSnapshotResponse,
  parseStatusResponse,
  type PeerId,
  type PermitLease,
  type PermitRequest,
  type PermitStatus,
  type PeerStanding,
  type Position,
  type Recno,
  type ReintegrateRequest,
  type ReintegrateResponse,
  type Route,
  routePath,
  ROUTES,
  type Sha256,
  type SnapshotRow,
  writeContentPackRequest,
  writeContentsHeader,
  writePeerHeader,
  writePermitRequest,
  writePollRequest,
  writeReintegrateRequest,
  writeSnapshotRequest,
} from "@izo/core";

import type { Landed } from "../sync/push/landed.ts";
import { RemoteProtocolError } from "../sync/remote-error.ts";
import type {
  ContentOptions,
  PolledRecords,
  PollOptions,
  Remote,
  RemoteContent,
} from "../sync/remote.ts";
import { checkMessage, checkMessages } from "./check-message.ts";
import type { Credentials } from "./credentials.ts";
import { fetchContent, type LandingFile } from "./fetch-content.ts";
import { parseFilesetUrl } from "./fileset-url.ts";
import { getJson, readJson } from "./get-json.ts";
import { readWhole } from "./http-body.ts";
import { type ConnectionTimeouts, DEFAULT_TIMEOUTS, HttpConnection } from "./http-connection.ts";
import { HttpHistory } from "./http-history.ts";
import { LandingThreads } from "./landing/landing-threads.ts";
import { RecentContents } from "./recent-contents.ts";
import { TransferBook } from "./transfer-book.ts";
import { type ContentSource, uploadContent } from "./upload-content.ts";

/** An answer to a poll holds one record beyond its limit at most, and contents with their hashes. */
const MAX_POLL_ANSWER_BYTES = MAX_POLL_BYTES + MAX_RECORD_BYTES + 2 * MAX_POLL_CONTENT_BYTES;

const digest = (bytes: Uint8Array): Uint8Array => hash("sha256", bytes, "buffer");

export interface HttpRemoteOptions {
  readonly timeouts?: Partial<ConnectionTimeouts>;
  readonly credentials?: Credentials;
  /** Told of the contents that are under way. */
  readonly transfers?: TransferBook;
}

export class HttpRemote implements Remote {
  /** What was, as opposed to what is. */
  readonly history: HttpHistory;
  readonly #connection: HttpConnection;
  readonly #prefix: string;
  readonly #fileset: string;
  readonly #transfers: TransferBook;
  /** What came along with the log. */
  readonly #recent = new RecentContents();
  readonly #threads = new LandingThreads();

  /** @param url `http://HOST:PORT/FILESET` @throws InvalidFilesetUrlError */
  constructor(url: string, { timeouts = {}, credentials = {}, transfers }: HttpRemoteOptions = {}) {
    this.#transfers = transfers ?? new TransferBook(Date.now);
    const { origin, prefix, fileset } = parseFilesetUrl(url);
    this.#connection = new HttpConnection(
      origin,
      { ...DEFAULT_TIMEOUTS, ...timeouts },
      credentials,
    );
    this.#prefix = prefix;
    this.#fileset = fileset;
    this.history = new HttpHistory(this.#connection, prefix, fileset);
  }

  async profile(signal?: AbortSignal): Promise<FilesetProfile> {
    return getJson(this.#connection, this.#path("profile"), parseProfileResponse, signal);
  }

  /** The profile, and the server's clock as its answer states it; for those who look for what is wrong. */
  async probe(signal?: AbortSignal): Promise<{ profile: FilesetProfile; dateMs: number | null }> {
    const response = await this.#connection.request("control", {
      path: this.#path("profile"),
      signal,
    });
    const dateMs = Date.parse(response.header("Date") ?? "");
    const profile = await readJson(response, parseProfileResponse);
    return { profile, dateMs: Number.isNaN(dateMs) ? null : dateMs };
  }

  /** What `izo status URL` shows. */
  async status(signal?: AbortSignal): Promise<FilesetStatus> {
    return getJson(this.#connection, this.#path("status"), parseStatusResponse, signal);
  }

  /** The server's own metrics, as text. */
  async metrics(signal?: AbortSignal): Promise<string> {
    const path = this.#prefix + ROUTES.metrics;
    const response = await this.#connection.request("control", { path, signal });
    return decode(await readWhole(response, MAX_JSON_BYTES));
  }

  /** The place behind a record, taken on trust: a client that follows the log computes it. */
  async positionAt(recno: Recno, signal?: AbortSignal): Promise<Position> {
    const values = { fileset: this.#fileset, recno: String(recno) };
    const path = this.#prefix + routePath("position", values);
    return getJson(this.#connection, path, parsePositionResponse, signal);
  }

  /** What `izo peers URL` shows. */
  async peers(signal?: AbortSignal): Promise<PeerStanding[]> {
    return getJson(this.#connection, this.#path("peers"), parsePeersResponse, signal);
  }

  /** The conflicts that stand on the server. */
  async conflicts(signal?: AbortSignal): Promise<ConflictReport[]> {
    return getJson(this.#connection, this.#path("conflicts"), parseConflictsResponse, signal);
  }

  async poll(
    after: Position,
    { waitSeconds = 0, limitRecords = MAX_POLL_RECORDS, peer, contentsUpTo = 0 }: PollOptions = {},
    signal?: AbortSignal,
  ): Promise<PolledRecords> {
    const query = writePollRequest({ after, waitSeconds, limitRecords });
    const response = await this.#connection.request("poll", {
      path: `${this.#path("kml")}?${query}`,
      headers: {
        Accept: MEDIA_TYPES.kml,
        ...(contentsUpTo > 0 && { [HEADERS.contents]: writeContentsHeader(contentsUpTo) }),
        ...(peer !== undefined && { [HEADERS.peer]: writePeerHeader({ peer, host: hostname() }) }),
      },
      heldBackMs: waitSeconds * 1000,
      signal,
    });
    const { url } = response;
    const body = await readWhole(response, MAX_POLL_ANSWER_BYTES);
    const isFramed = response.header("Content-Type") === MEDIA_TYPES.kmlWithContents;
    return checkMessage(url, () => {
      const head = parsePosition(response.header(HEADERS.head) ?? "");
      const { records, contents } = isFramed
        ? parsePollWithContents(body)
        : { records: body, contents: [] };
      const polled = parsePollResponse(records, after, head, digest);
      // One that is wrong is not used: it is asked for like any other, and whoever does so finds out.
      for (const content of contents) if (hasItsHash(content)) this.#recent.add(content);
      return polled;
    });
  }

  async *snapshot(peer: PeerId, signal?: AbortSignal): AsyncGenerator<SnapshotRow, void> {
    const { url, body } = await this.#connection.request("bulk", {
      path: `${this.#path("snapshot")}?${writeSnapshotRequest(peer)}`,
      headers: { Accept: MEDIA_TYPES.snapshot },
      signal,
    });
    yield* checkMessages(url, parseSnapshotResponse(body));
  }

  async fetchContent(
    sha256: Sha256,
    options: ContentOptions = {},
    signal?: AbortSignal,
  ): Promise<RemoteContent> {
    const recent = options.bypassCaches === true ? undefined : this.#recent.get(sha256);
    if (recent !== undefined) return contentOf(recent, options);
    return this.#fetch(sha256, options, signal);
  }

  /** As `fetchContent`, for large contents; see `ContentSource`. */
  async landContent(
    sha256: Sha256,
    fd: number,
    options: ContentOptions = {},
    signal?: AbortSignal,
  ): Promise<RemoteContent<Uint8Array | Landed>> {
    return this.#fetch(sha256, options, signal, { fd, threads: this.#threads });
  }

  async *fetchPack(
    after: Recno,
    until: Recno,
    signal?: AbortSignal,
  ): AsyncGenerator<InlineContent, void> {
    for (let from = after; from < until; from = (from + MAX_PACK_RECNOS) as Recno) {
      const to = Math.min(from + MAX_PACK_RECNOS, until) as Recno;
      const { url, body } = await this.#connection.request("bulk", {
        path: `${this.#path("contentPack")}?${writeContentPackRequest({ after: from, until: to })}`,
        signal,
      });
      for await (const content of checkMessages(url, parseContentPackResponse(body))) {
        if (!hasItsHash(content)) {
          throw new RemoteProtocolError(url, `content ${content.sha256} has another hash`);
        }
        yield content;
      }
    }
  }

  async push(request: ReintegrateRequest, signal?: AbortSignal): Promise<ReintegrateResponse> {
    const response = await this.#connection.request("control", {
      method: "POST",
      path: this.#path("reintegrate"),
      headers: {
        "Content-Type": MEDIA_TYPES.reintegrate,
        ...(request.isRemovalConfirmed === true && { [HEADERS.removalConfirmed]: "?1" }),
      },
      body: writeReintegrateRequest(request),
      signal,
    });
    const text = decode(await readWhole(response, MAX_JSON_BYTES));
    return checkMessage(response.url, () => parseReintegrateResponse(text, request));
  }

  /** Asks for, renews or hands back a permit; resolves with the lease, null once it is handed back. */
  async permit(request: PermitRequest, signal: AbortSignal): Promise<PermitLease | null> {
    const response = await this.#connection.request("permit", {
      method: "POST",
      path: this.#path("permit"),
      headers: { "Content-Type": MEDIA_TYPES.json },
      body: new TextEncoder().encode(writePermitRequest(request)),
      heldBackMs: "waitSeconds" in request ? request.waitSeconds * 1000 : 0,
      signal,
    });
    return readJson(response, parsePermitResponse);
  }

  /** Who holds which permit. */
  async permits(signal?: AbortSignal): Promise<PermitStatus[]> {
    return getJson(this.#connection, this.#path("permit"), parsePermitsResponse, signal);
  }

  async upload(
    sha256: Sha256,
    sizeBytes: number,
    source: ContentSource,
    signal?: AbortSignal,
  ): Promise<void> {
    const what = { direction: "out", sha256, totalBytes: sizeBytes } as const;
    const counted: ContentSource = (offsetBytes) =>
      this.#transfers.count(what, offsetBytes, source(offsetBytes));
    const content = { sizeBytes, source: counted };
    return uploadContent(this.#connection, this.#contentPath(sha256), content, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]();
    await this.#threads[Symbol.asyncDispose]();
  }

  #fetch(
    sha256: Sha256,
    options: ContentOptions,
    signal: AbortSignal | undefined,
  ): Promise<RemoteContent>;
  #fetch(
    sha256: Sha256,
    options: ContentOptions,
    signal: AbortSignal | undefined,
    file: LandingFile,
  ): Promise<RemoteContent<Uint8Array | Landed>>;
  async #fetch(
    sha256: Sha256,
    options: ContentOptions,
    signal: AbortSignal | undefined,
    file?: LandingFile,
  ): Promise<RemoteContent<Uint8Array | Landed>> {
    const path = this.#contentPath(sha256);
    const content = await fetchContent(this.#connection, path, options, signal, file);
    const { sizeBytes, bytes } = content;
    const what = { direction: "in", sha256, totalBytes: sizeBytes } as const;
    const { offsetBytes = 0, presentBytes } = options;
    return { sizeBytes, bytes: this.#transfers.count(what, offsetBytes, bytes, presentBytes) };
  }

  #path(route: Exclude<Route, "segment" | "content" | "position">): string {
    return this.#prefix + routePath(route, { fileset: this.#fileset });
  }

  #contentPath(sha256: Sha256): string {
    return this.#prefix + routePath("content", { fileset: this.#fileset, sha256 });
  }
}

function hasItsHash({ sha256, bytes }: InlineContent): boolean {
  return hash("sha256", bytes) === sha256;
}

/** The asked part of a content that is here. */
function contentOf(
  whole: Uint8Array,
  { offsetBytes = 0, endBytes }: ContentOptions,
): RemoteContent {
  return {
    sizeBytes: whole.length,
    bytes: (async function* () {
      yield whole.subarray(offsetBytes, endBytes);
    })(),
  };
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

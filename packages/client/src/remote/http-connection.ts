/**
 * Requests to one server: connections, timeouts, and what an answer must be before anybody reads it.
 * Knows HTTP and the protocol's headers, and nothing of logs or contents.
 */

import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";

import {
  checkProtocolVersion,
  HEADERS,
  parseProblem,
  type Problem,
  problemOf,
  PROTOCOL_VERSION,
  writeBearer,
} from "@izo/core";
import type { Dispatcher } from "undici";

import {
  RemoteProblemError,
  RemoteProtocolError,
  RemoteUnreachableError,
} from "../sync/remote-error.ts";
import type { ConnectionPools } from "./connection-pools.ts";
import { type Credentials, TokenSource } from "./credentials.ts";
import { readBody, readPrefix } from "./http-body.ts";
import { plainGet, type PlainResponse } from "./landing/plain-get.ts";
import { asRemoteError, isBrokenConnection } from "./transport-error.ts";

/**
 * Requests that must not wait for one another have connections of their own: a poll waits for most of
 * a minute, contents may fill a slow line, and a small push is to go out between them. What a program waits
 * for has room beside all that is fetched ahead, of large files for hours. Each permit that
 * is held waits for whoever wants it, so those have as many as they need.
 */
const LANES = { poll: 1, control: 2, bulk: 4, awaited: 6, permit: null } as const;

export type Lane = keyof typeof LANES;

export interface ConnectionTimeouts {
  /** Until the connection stands. */
  readonly connectMs: number;
  /** From the request to the head of the answer. */
  readonly answerMs: number;
  /** The same for a poll that may wait at the server, beyond that wait. */
  readonly heldBackAnswerMs: number;
  /** Between two pieces of a body. */
  readonly stallMs: number;
}

export const DEFAULT_TIMEOUTS: ConnectionTimeouts = {
  connectMs: 5_000,
  answerMs: 30_000,
  heldBackAnswerMs: 10_000,
  stallMs: 15_000,
};

export interface HttpRequest {
  readonly method?: "GET" | "HEAD" | "PUT" | "POST";
  /** With the query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | Readable;
  /** How long the server was asked to hold the answer back. */
  readonly heldBackMs?: number;
  /** Statuses from 400 on that are answers and not errors. */
  readonly accepted?: readonly number[];
  readonly signal?: AbortSignal | undefined;
}

export interface HttpResponse {
  readonly url: string;
  readonly status: number;
  header(name: string): string | null;
  /** The bytes as they come; throws what {@link HttpConnection.request} throws. To be read or returned. */
  readonly body: AsyncGenerator<Uint8Array, void>;
}

/** An error's body is read up to here; what is longer is no problem of ours. */
const MAX_PROBLEM_BYTES = 64 * 1024;

/** Statuses with which proxies, and servers that start or stop, say "later". */
const LATER = new Set([408, 429, 500, 502, 503, 504]);

export class HttpConnection implements AsyncDisposable {
  readonly #origin: string;
  readonly #timeouts: ConnectionTimeouts;
  readonly #token: TokenSource;
  readonly #credentials: Credentials;
  #pools: Promise<ConnectionPools> | undefined;
  #isEnded = false;
  /** Answers come over {@link requestPlain} as it takes them; not through a proxy that sends them otherwise. */
  #isPlainTaken: boolean;

  constructor(origin: string, timeouts: ConnectionTimeouts, credentials: Credentials = {}) {
    this.#origin = origin;
    this.#timeouts = timeouts;
    this.#credentials = credentials;
    this.#token = new TokenSource(credentials, origin);
    const { stateDirectory } = credentials;
    this.#isPlainTaken = stateDirectory === undefined && new URL(origin).protocol === "http:";
  }

  /**
   * Sends a request and checks the head of the answer.
   *
   * A request whose connection broke before an answer began is repeated once, at once: a server closes
   * an idle connection at the very moment in which it is used again. Every request of the protocol may
   * be repeated. A body that was given as a stream is not at hand any more, and is not.
   *
   * @throws RemoteProblemError, RemoteUnreachableError, RemoteUntrustedError, RemoteProtocolError,
   *   UnusableTokenError, the reason of the signal
   */
  async request(lane: Lane, request: HttpRequest): Promise<HttpResponse> {
    const { signal } = request;
    const url = `${this.#origin}${request.path}`;
    signal?.throwIfAborted();
    const headers = this.#headersOf(request);
    let answer: Dispatcher.ResponseData;
    try {
      answer = await this.#sendRepeated(lane, { ...request, headers });
    } catch (error) {
      throw asRemoteError(error, url, signal);
    }
    const response: HttpResponse = {
      url,
      status: answer.statusCode,
      header: (name) => singleHeader(answer, name),
      body: readBody(answer.body, url, signal),
    };
    await this.#check(response, request);
    return response;
  }

  /**
   * Sends a GET over a connection of its own, whose body another thread can write to a file.
   *
   * @returns undefined where that cannot be, and for each answer that is not the asked one: then it is to be asked for
   *   with {@link request}, which finds out why
   * @throws RemoteUnreachableError, UnusableTokenError, the reason of the signal
   */
  async requestPlain({ path, headers, signal }: HttpRequest): Promise<PlainResponse | undefined> {
    if (!this.#isPlainTaken) return undefined;
    const { host, hostname, port } = new URL(this.#origin);
    const { connectMs, answerMs, stallMs } = this.#timeouts;
    const response = await plainGet({
      url: `${this.#origin}${path}`,
      address: { host: hostname.replace(/^\[(.*)\]$/, "$1"), port: Number(port || 80) },
      host,
      path,
      headers: this.#headersOf({ headers: headers ?? {} }),
      connectMs,
      answerMs,
      stallMs,
      signal,
    });
    if (response === undefined) this.#isPlainTaken = false;
    const isContent = response?.status === 200 || response?.status === 206;
    if (isContent && response.header(HEADERS.protocol) === String(PROTOCOL_VERSION))
      return response;
    response?.[Symbol.dispose]();
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnded = true;
    if (this.#pools !== undefined) await destroy(await this.#pools);
  }

  /** At the first request: most commands ask no server, and to load undici takes as long as all else of them. */
  async #openPools(): Promise<ConnectionPools> {
    const { openPools } = await import("./connection-pools.ts");
    const pools = openPools(this.#origin, LANES, this.#timeouts, this.#credentials);
    if (this.#isEnded) await destroy(pools);
    return pools;
  }

  async #sendRepeated(lane: Lane, request: HttpRequest): Promise<Dispatcher.ResponseData> {
    try {
      return await this.#send(lane, request);
    } catch (error) {
      if (request.body instanceof Readable || !isBrokenConnection(error)) throw error;
      return await this.#send(lane, request);
    }
  }

  /** @throws UnusableTokenError */
  #headersOf({ headers }: Pick<HttpRequest, "headers">): Record<string, string> {
    const token = this.#token.current();
    return {
      [HEADERS.protocol]: String(PROTOCOL_VERSION),
      [HEADERS.requestId]: randomUUID(),
      ...headers,
      ...(token !== null && { Authorization: writeBearer(token) }),
    };
  }

  async #send(lane: Lane, request: HttpRequest): Promise<Dispatcher.ResponseData> {
    const pools = await (this.#pools ??= this.#openPools());
    const { method = "GET", path, headers, body, heldBackMs = 0, signal } = request;
    const { answerMs, heldBackAnswerMs } = this.#timeouts;
    return pools[lane].request({
      method,
      path,
      ...(headers !== undefined && { headers }),
      headersTimeout: heldBackMs > 0 ? heldBackMs + heldBackAnswerMs : answerMs,
      ...(body !== undefined && { body }),
      ...(signal !== undefined && { signal }),
    });
  }

  /** Lets pass what the protocol allows as an answer to this request. */
  async #check(response: HttpResponse, request: HttpRequest): Promise<void> {
    const { url, status } = response;
    const version = response.header(HEADERS.protocol);
    const refusal = refusalOf(version);
    if (refusal === null && isAnswer(status, request)) {
      if (version !== null) return;
      await response.body.return();
      throw new RemoteProtocolError(
        url,
        `it does not state ${HEADERS.protocol}: this is no izo server`,
      );
    }
    const text = new TextDecoder().decode(await readPrefix(response.body, MAX_PROBLEM_BYTES));
    const problem = parseProblem(text) ?? refusal;
    if (problem !== null) {
      // The line of the server's log about this request has the same id.
      const requestId = response.header(HEADERS.requestId);
      throw new RemoteProblemError({ ...problem, data: { ...problem.data, requestId } });
    }
    if (LATER.has(status)) {
      const starts = status === 503 ? ", as one does that is starting and scans its directory" : "";
      throw new RemoteUnreachableError(url, `it answers with status ${status}${starts}`);
    }
    const elsewhere = response.header("Location");
    if (status >= 300 && status < 400 && elsewhere !== null) {
      // Not followed: the token is for the server that the URL names.
      const place = JSON.stringify(elsewhere);
      throw new RemoteProtocolError(url, `it leads to ${place}, and is not followed`);
    }
    throw new RemoteProtocolError(url, `it has status ${status} and no problem of the protocol`);
  }
}

async function destroy(pools: ConnectionPools): Promise<void> {
  await Promise.all(Object.values(pools).map((pool) => pool.destroy()));
}

function isAnswer(status: number, { accepted = [] }: HttpRequest): boolean {
  return (status >= 200 && status < 300) || accepted.includes(status);
}

/** What is to be said to a server of another version; null where its version is ours, or unknown. */
function refusalOf(version: string | null): Problem | null {
  try {
    checkProtocolVersion("server", version);
    return null;
  } catch (error) {
    return problemOf(error);
  }
}

function singleHeader(answer: Dispatcher.ResponseData, name: string): string | null {
  const value = answer.headers[name.toLowerCase()];
  return typeof value === "string" ? value : null;
}

import type { Landed } from "../../sync/push/landed.ts";
/**
 * One GET over a connection of its own and without encryption, whose body can be written to a file by another thread. Only
 * what is simple is taken here; all else, every refusal included, is `undefined` and asked again by the connections that
 * understand it.
 */
import { asRemoteError } from "../transport-error.ts";
import type { LandingThread } from "./landing-threads.ts";
import type { LandingEnd } from "./landing.ts";
import { type PlainAddress, PlainSocket } from "./plain-socket.ts";
import { parseResponseHead, type ResponseHead } from "./response-head.ts";

/** Who reads on where Node has ended. */
type Receiver = Pick<LandingThread, "isReady" | "land">;

/** So much comes through Node before a thread is started, which takes the processor from who waits for the first bytes. */
const FIRST_BYTES = 256 * 1024;

/** As much as undici takes. */
const MAX_HEAD_BYTES = 16 * 1024;

export interface PlainRequest {
  readonly url: string;
  readonly address: PlainAddress;
  /** As the `Host` header names it. */
  readonly host: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly connectMs: number;
  readonly answerMs: number;
  /** Between two pieces of the body. */
  readonly stallMs: number;
  readonly signal: AbortSignal | undefined;
}

/** An answer whose body is still to come. Disposing of it closes the connection. */
export interface PlainResponse extends Disposable {
  readonly url: string;
  readonly status: number;
  header(name: string): string | null;
  /**
   * The body: in pieces until the thread runs, then written by it; all in pieces without a thread.
   *
   * @param take gives a thread, once
   *
   * @throws RemoteUnreachableError where it ends early or nothing comes; the disk's errors; the reason of the signal
   */
  land(
    take: () => Receiver | undefined,
    file: LandingPlace,
  ): AsyncGenerator<Uint8Array | Landed, void>;
}

/** Where a body goes. */
export interface LandingPlace {
  readonly fd: number;
  readonly startBytes: number;
  readonly endBytes: number;
}

/** Undefined where the answer is none for this way. @throws RemoteUnreachableError; the reason of the signal */
export async function plainGet(request: PlainRequest): Promise<PlainResponse | undefined> {
  const { url, address, connectMs, signal } = request;
  const text = writeRequest(request);
  if (text === undefined) return undefined;
  const socket = new PlainSocket(address, Math.max(connectMs, request.answerMs), signal);
  try {
    socket.send(text);
    const found = await readHead(socket);
    if (found === undefined) {
      socket[Symbol.dispose]();
      return undefined;
    }
    const { head, first } = found;
    return {
      url,
      status: head.status,
      header: head.header,
      land: (take, file) => landBody(request, socket, first, take, file),
      [Symbol.dispose]: () => socket[Symbol.dispose](),
    };
  } catch (error) {
    socket[Symbol.dispose]();
    throw asRemoteError(error, url, signal);
  }
}

/** Undefined where something in it would be read as more than it is. */
function writeRequest({ host, path, headers }: PlainRequest): string | undefined {
  const fields = { Host: host, Accept: "*/*", Connection: "close", ...headers };
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}`);
  const all = [`GET ${path} HTTP/1.1`, ...lines];
  // oxlint-disable-next-line no-control-regex -- those are what must not be there
  if (all.some((line) => /[^\x20-\x7e]/.test(line)) || path.includes(" ")) return undefined;
  return [...all, "", ""].join("\r\n");
}

async function readHead(
  socket: PlainSocket,
): Promise<{ head: ResponseHead; first: Buffer } | undefined> {
  let bytes = Buffer.alloc(0);
  while (bytes.length < MAX_HEAD_BYTES) {
    // oxlint-disable-next-line no-await-in-loop -- mostly one piece
    const piece = await socket.read();
    if (piece === null) return undefined;
    bytes = Buffer.concat([bytes, piece]);
    const head = parseResponseHead(bytes);
    if (head === null) return undefined;
    if (head !== undefined) return { head, first: bytes.subarray(head.bodyAt) };
  }
  return undefined;
}

async function* landBody(
  { url, stallMs, signal }: PlainRequest,
  socket: PlainSocket,
  first: Buffer,
  take: () => Receiver | undefined,
  { fd, startBytes, endBytes }: LandingPlace,
): AsyncGenerator<Uint8Array | Landed, void> {
  try {
    socket.setSilence(stallMs);
    let at = startBytes;
    let thread: Receiver | undefined;
    let isTaken = false;
    for (let piece: Buffer | null = first; at < endBytes;) {
      if (piece.length > 0) {
        at += piece.length;
        yield piece.subarray(0, Math.max(0, piece.length - Math.max(0, at - endBytes)));
      }
      if (!isTaken && at - startBytes >= FIRST_BYTES) {
        isTaken = true;
        thread = take();
      }
      const socketFd = thread?.isReady === true && at < endBytes ? socket.handOver() : undefined;
      if (thread !== undefined && socketFd !== undefined) {
        const order = { socketFd, fileFd: fd, startBytes: at, endBytes, silenceMs: stallMs };
        const end = yield* thread.land(order, signal);
        if (end.how !== "whole") throw errorOf(end, signal);
        return;
      }
      if (at >= endBytes) return;
      // oxlint-disable-next-line no-await-in-loop -- as it comes
      piece = await socket.read();
      if (piece === null) throw errorOf({ how: "cut-off" }, signal);
    }
  } catch (error) {
    if ((error as { isOfDisk?: unknown }).isOfDisk === true) throw error;
    throw asRemoteError(error, url, signal);
  } finally {
    socket[Symbol.dispose]();
  }
}

/** In the shape of Node's own errors, by which others tell what they mean. */
function errorOf(end: LandingEnd, signal: AbortSignal | undefined): unknown {
  switch (end.how) {
    case "disk":
      return Object.assign(new Error(end.message), { code: end.code, isOfDisk: true });
    case "network":
      return Object.assign(new Error(end.message), { code: end.code });
    case "silent":
      return Object.assign(new Error("nothing came in time"), { code: "ETIMEDOUT" });
    case "stopped":
      if (signal?.aborted === true) return signal.reason;
      return Object.assign(new Error("the connection was cut"), { code: "ECONNRESET" });
    default:
      return Object.assign(new Error("the connection was cut"), { code: "ECONNRESET" });
  }
}

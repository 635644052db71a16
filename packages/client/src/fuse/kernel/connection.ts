/**
 * One FUSE connection: receives requests, has them answered, one after the other, on the event loop.
 *
 * After each answer it waits awake for a moment, where that helps: a program that was answered usually asks
 * again at once, and being woken costs several times as much as an answer (docs/decisions/0012).
 */
import { constants } from "node:os";

import { isErrno, toErrno } from "../errno.ts";
import { AdaptiveSpin } from "./adaptive-spin.ts";
import { type Handlers, type IdleWork, SILENT, type WriteBody } from "./handler.ts";
import { MAX_WRITE_BYTES } from "./init.ts";
import type { KernelDevice } from "./kernel-device.ts";
import { PendingRequests } from "./pending-requests.ts";
import { OPCODE } from "./protocol.ts";
import { ReplyMessage } from "./reply-message.ts";
import { RequestMessage } from "./request-message.ts";

/** The kernel wants room for the largest write with its headers (`FUSE_MIN_READ_BUFFER` is 8 KiB). */
const HEADERS_BYTES = 4096;

/** More than this is not put off: the kernel keeps a number of requests that wait, and no more. */
const MOST_IDLE_WORK = 16;

/** What was asked at some moment is answered well before; programs that go on asking are not waited for. */
const CATCH_UP_MS = 50;

const INTERRUPTED = -constants.errno.EINTR;

/** Above every opcode that is known here. */
const COUNTED_OPCODES = 64;

export interface ConnectionOptions {
  /** How long to wait awake for the next request, in microseconds, where that brings one; 0 for not at all. */
  readonly spinMicroseconds: number;
  /** How long requests may keep the event loop from all else, in milliseconds. */
  readonly turnMs: number;
  /**
   * So many requests were answered in so many milliseconds, until there was none for a moment or the turn was over. Says
   * for how long, in milliseconds, none is to be received then.
   */
  readonly onAnswered: (durationMs: number, requests: number) => number;
  /** Each time that somebody was answered, while he goes on: for what he need not wait for. */
  readonly onSent: () => void;
  /** The mount is gone. Called once. */
  readonly onEnd: () => void;
  /** Faults that no caller of the mount is told. */
  readonly onError: (error: unknown) => void;
}

export class Connection {
  readonly #device: KernelDevice;
  readonly #handlers: Handlers;
  readonly #options: ConnectionOptions;
  readonly #request = new RequestMessage(MAX_WRITE_BYTES + HEADERS_BYTES);
  readonly #reply = new ReplyMessage(MAX_WRITE_BYTES + HEADERS_BYTES);
  readonly #pending = new PendingRequests((low, high) => this.#send(low, high, INTERRUPTED, 0));
  readonly #idleWork: { work: IdleWork; low: number; high: number }[] = [];
  readonly #counts = new Float64Array(COUNTED_OPCODES);
  readonly #spin: AdaptiveSpin;
  #pause: NodeJS.Timeout | undefined;
  #hasEnded = false;

  constructor(device: KernelDevice, handlers: Handlers, options: ConnectionOptions) {
    this.#device = device;
    this.#handlers = handlers;
    this.#options = options;
    this.#spin = new AdaptiveSpin(options.spinMicroseconds);
  }

  /** Serves from now on, until the mount is gone or the device is disposed of. */
  start(): void {
    this.#device.start(() => this.#serve());
  }

  /** Does now what nobody waits for. A handler may call it that has not begun with its answer. */
  finishIdleWork(): void {
    while (this.#idleWork.length > 0 && !this.#hasEnded) this.#workIdly();
  }

  /** Answers what the kernel has asked until now. Not to be called by a handler. */
  catchUp(): void {
    this.#answerUntil(performance.now() + CATCH_UP_MS, 0);
    this.finishIdleWork();
  }

  /** Nothing is answered any more. */
  end(): void {
    this.#hasEnded = true;
    clearTimeout(this.#pause);
    this.#pending[Symbol.dispose]();
  }

  /** How many requests of each kind there were. */
  get requests(): Readonly<Record<string, number>> {
    const counted = Object.entries(OPCODE).map(
      ([name, opcode]) => [name, this.#counts[opcode]!] as const,
    );
    return Object.fromEntries(counted.filter(([, count]) => count > 0));
  }

  #serve(): void {
    const startMs = performance.now();
    const requests = this.#answerUntil(
      startMs + this.#options.turnMs,
      this.#spin.turnBegins(startMs),
    );
    const endMs = performance.now();
    this.#spin.turnEnded(requests, endMs);
    const pauseMs = this.#options.onAnswered(endMs - startMs, requests);
    this.finishIdleWork();
    if (pauseMs > 0 && !this.#hasEnded) this.#pauseFor(pauseMs);
  }

  /** Who asks meanwhile waits for so much longer. */
  #pauseFor(pauseMs: number): void {
    this.#device.stop();
    this.#pause = setTimeout(() => this.start(), pauseMs);
  }

  /** How many it has answered. */
  #answerUntil(endMs: number, spinMicroseconds: number): number {
    let answered = 0;
    // More than one turn's worth is left for the next: the loop comes back while there is something to read.
    while (!this.#hasEnded && performance.now() < endMs) {
      const isIdle = this.#idleWork.length === 0;
      let lengthBytes: number;
      try {
        lengthBytes = this.#device.receive(this.#request.bytes, isIdle ? spinMicroseconds : 0);
      } catch (error) {
        this.#endWith(error);
        return answered;
      }
      if (lengthBytes > 0) {
        answered += 1;
        this.#request.received(lengthBytes);
        this.#answer();
      } else if (isIdle) return answered;
      if (lengthBytes === 0 || this.#idleWork.length > MOST_IDLE_WORK) this.#workIdly();
    }
    return answered;
  }

  #workIdly(): void {
    const { work, low, high } = this.#idleWork.shift()!;
    try {
      this.#send(low, high, 0, work());
    } catch (error) {
      this.#fail(error, 0, low, high);
    }
  }

  #answer(): void {
    const request = this.#request;
    const { opcode, uniqueLow, uniqueHigh } = request;
    if (opcode < COUNTED_OPCODES) this.#counts[opcode]! += 1;
    if (opcode === OPCODE.INTERRUPT) {
      this.#pending.interrupt(request.u32(0), request.u32(4));
      return;
    }
    const handler = this.#handlers[opcode];
    if (handler === undefined) {
      // The kernel does not ask again for most of what is not there.
      this.#send(uniqueLow, uniqueHigh, -constants.errno.ENOSYS, 0);
      return;
    }
    try {
      const outcome = handler(request, this.#reply);
      if (typeof outcome === "function")
        this.#idleWork.push({ work: outcome, low: uniqueLow, high: uniqueHigh });
      else if (typeof outcome !== "number") void this.#answerLater(outcome, request);
      else if (outcome >= 0) this.#send(uniqueLow, uniqueHigh, 0, outcome);
      else if (outcome !== SILENT) this.#send(uniqueLow, uniqueHigh, outcome, 0);
    } catch (error) {
      this.#fail(error, opcode, uniqueLow, uniqueHigh);
    }
    try {
      this.#options.onSent();
    } catch (error) {
      this.#options.onError(error);
    }
  }

  async #answerLater(outcome: Promise<WriteBody>, received: RequestMessage): Promise<void> {
    const { opcode, uniqueLow: low, uniqueHigh: high } = received;
    const request = { opcode, uniqueLow: low, uniqueHigh: high, thread: received.thread };
    const pending = this.#pending.add(request);
    try {
      const writeBody = await outcome;
      this.#pending.remove(request);
      if (this.#hasEnded) return;
      // Also for one who was interrupted: the kernel answers ENOENT, and nobody holds what was opened.
      const bodyBytes = writeBody(this.#reply);
      if (!pending.isInterrupted) this.#send(low, high, 0, bodyBytes);
    } catch (error) {
      this.#pending.remove(request);
      if (!this.#hasEnded && !pending.isInterrupted) this.#fail(error, 0, low, high);
    }
  }

  #fail(error: unknown, opcode: number, low: number, high: number): void {
    if (!isErrno(error)) this.#options.onError(error);
    const isSilent = opcode === OPCODE.FORGET || opcode === OPCODE.BATCH_FORGET;
    if (!isSilent) this.#send(low, high, toErrno(error), 0);
  }

  #send(low: number, high: number, error: number, bodyBytes: number): void {
    const lengthBytes = this.#reply.finish(low, high, error, bodyBytes);
    try {
      this.#device.send(this.#reply.bytes, lengthBytes);
    } catch (cause) {
      this.#endWith(cause);
      // Who asked waits, and cannot be killed, until there is an answer that the kernel takes.
      const isLast = error === -constants.errno.EIO;
      if (!this.#hasEnded && !isLast) this.#send(low, high, -constants.errno.EIO, 0);
    }
  }

  /** ENODEV is how the kernel says that the mount is gone. */
  #endWith(error: unknown): void {
    const isGone = error instanceof Error && "code" in error && error.code === "ENODEV";
    if (!isGone) this.#options.onError(error);
    if (this.#hasEnded || !isGone) return;
    this.#hasEnded = true;
    this.#options.onEnd();
  }
}

/**
 * An HTTP line to a server on which a test holds contents back, cuts them off, changes their bytes, and
 * counts them; all else goes through.
 */
import type { IncomingMessage, ServerResponse } from "node:http";

import { forward, HttpLine } from "./http-line.ts";

/** A request for a content, and what became of it. */
export interface ContentRequest {
  /** Where it begins, and where it was asked to end, exclusive. */
  readonly start: number;
  readonly end: number | undefined;
  /** Bytes that went through. */
  sentBytes: number;
}

export class GatedProxy implements AsyncDisposable {
  readonly requests: ContentRequest[] = [];
  readonly #port: () => number;
  #line!: HttpLine;
  /** From this place of a content on nothing goes through. */
  #gate = Infinity;
  #opened = Promise.withResolvers<void>();
  /** Requests for contents are refused, and those under way are cut off. */
  #isCut = false;
  /** The byte at this place is another one, as a cache in between has it: unless it was asked past caches. */
  wrongAt: number | undefined;

  private constructor(port: () => number) {
    this.#port = port;
  }

  static async open(port: () => number): Promise<GatedProxy> {
    const proxy = new GatedProxy(port);
    proxy.#line = await HttpLine.open((asked, response) => proxy.#answer(asked, response));
    return proxy;
  }

  get url(): string {
    return this.#line.url;
  }

  get sentBytes(): number {
    return this.requests.reduce((sum, { sentBytes }) => sum + sentBytes, 0);
  }

  /** Lets contents through up to there. */
  holdBackFrom(offsetBytes: number): void {
    this.#gate = offsetBytes;
    this.#opened.resolve();
    this.#opened = Promise.withResolvers();
  }

  letGo(): void {
    this.holdBackFrom(Infinity);
  }

  setCut(isCut: boolean): void {
    this.#isCut = isCut;
    this.holdBackFrom(this.#gate);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isCut = true;
    this.letGo();
    await this.#line[Symbol.asyncDispose]();
  }

  #answer(asked: IncomingMessage, response: ServerResponse): void {
    const isContent = asked.url?.includes("/content/") === true;
    if (isContent && this.#isCut) {
      asked.socket.destroy();
      return;
    }
    const forwarded = forward(asked, response, this.#port());
    forwarded.on("response", (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      if (isContent) void this.#sendContent(asked, answer, response);
      else answer.pipe(response);
    });
  }

  async #sendContent(
    asked: IncomingMessage,
    answer: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const range = /^bytes=(\d+)-(\d*)$/.exec(asked.headers.range ?? "bytes=0-")!;
    const start = Number(range[1]);
    const end = range[2] === "" ? undefined : Number(range[2]) + 1;
    const noted: ContentRequest = { start, end, sentBytes: 0 };
    this.requests.push(noted);
    try {
      for await (const chunk of answer as AsyncIterable<Buffer>) {
        for (let rest = chunk; rest.length > 0;) {
          const at = start + noted.sentBytes;
          while (at >= this.#gate && !this.#isCut) await this.#opened.promise;
          if (this.#isCut || response.destroyed) throw new Error("cut off");
          const piece = rest.subarray(0, Math.max(1, this.#gate - at));
          if (asked.headers["cache-control"] === undefined) this.#spoil(piece, at);
          response.write(piece);
          noted.sentBytes += piece.length;
          rest = rest.subarray(piece.length);
        }
      }
      response.end();
    } catch {
      response.destroy();
    }
  }

  #spoil(piece: Buffer, at: number): void {
    const index = (this.wrongAt ?? -1) - at;
    if (index >= 0 && index < piece.length) piece[index] = piece[index]! ^ 1;
  }
}

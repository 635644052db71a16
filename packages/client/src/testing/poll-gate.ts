/** An HTTP line to a server on which a test holds back the answers to polls; all else goes through. */
import type { IncomingMessage, ServerResponse } from "node:http";

import { forward, HttpLine } from "./http-line.ts";

export class PollGate implements AsyncDisposable {
  readonly #port: () => number;
  #line!: HttpLine;
  #opened: Promise<void> = Promise.resolve();
  #open: () => void = () => {};

  private constructor(port: () => number) {
    this.#port = port;
  }

  static async open(port: () => number): Promise<PollGate> {
    const gate = new PollGate(port);
    gate.#line = await HttpLine.open((asked, response) => gate.#answer(asked, response));
    return gate;
  }

  get url(): string {
    return this.#line.url;
  }

  /** Whoever polls learns nothing from now on: also not from a poll that waits at the server. */
  shut(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#opened = promise;
    this.#open = resolve;
  }

  letThrough(): void {
    this.#open();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.letThrough();
    await this.#line[Symbol.asyncDispose]();
  }

  #answer(asked: IncomingMessage, response: ServerResponse): void {
    const forwarded = forward(asked, response, this.#port());
    forwarded.on("response", (answer) => void this.#pass(asked.url, answer, response));
  }

  async #pass(
    path: string | undefined,
    answer: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    if (path?.includes("/kml?") === true) await this.#opened;
    response.writeHead(answer.statusCode ?? 500, answer.headers);
    answer.pipe(response);
  }
}

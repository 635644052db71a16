/** An HTTP line to a server on which a test holds back the answers to polls; all else goes through. */
import { once } from "node:events";
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export class PollGate implements AsyncDisposable {
  readonly #port: () => number;
  readonly #server = createServer((asked, response) => this.#answer(asked, response));
  #opened: Promise<void> = Promise.resolve();
  #open: () => void = () => {};

  private constructor(port: () => number) {
    this.#port = port;
  }

  static async open(port: () => number): Promise<PollGate> {
    const gate = new PollGate(port);
    gate.#server.listen(0, "127.0.0.1");
    await once(gate.#server, "listening");
    return gate;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/rootfset`;
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
    this.#server.closeAllConnections();
    this.letThrough();
    this.#server.close();
    await once(this.#server, "close");
  }

  #answer(asked: IncomingMessage, response: ServerResponse): void {
    const { method, url: path, headers } = asked;
    const forwarded = request({ host: "127.0.0.1", port: this.#port(), method, path, headers });
    forwarded.on("error", () => response.destroy());
    response.on("error", () => forwarded.destroy());
    response.on("close", () => forwarded.destroy());
    asked.pipe(forwarded);
    forwarded.on("response", (answer) => void this.#pass(path, answer, response));
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

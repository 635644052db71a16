/** What tests put between a client and its server, where they look at requests and not at bytes. */
import { once } from "node:events";
import {
  createServer,
  request,
  type ClientRequest,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

/** Listens on the loopback address. Disposing of it cuts every connection. */
export class HttpLine implements AsyncDisposable {
  readonly #server;

  private constructor(answer: RequestListener) {
    this.#server = createServer(answer);
  }

  static async open(answer: RequestListener): Promise<HttpLine> {
    const line = new HttpLine(answer);
    line.#server.listen(0, "127.0.0.1");
    await once(line.#server, "listening");
    return line;
  }

  /** URL of a fileset behind it. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/rootfset`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** Asks the server what was asked here; whichever side ends takes the other one along. Its answer is the caller's to pass on. */
export function forward(
  asked: IncomingMessage,
  response: ServerResponse,
  port: number,
): ClientRequest {
  const { method, url: path, headers } = asked;
  const forwarded = request({ host: "127.0.0.1", port, method, path, headers });
  forwarded.on("error", () => response.destroy());
  response.on("error", () => forwarded.destroy());
  response.on("close", () => forwarded.destroy());
  asked.pipe(forwarded);
  return forwarded;
}

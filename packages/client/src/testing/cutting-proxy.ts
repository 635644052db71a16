/** A line to a server that can be cut: before a reply comes back, or altogether. */
import { once } from "node:events";
import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";

export class CuttingProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Replies to requests that start so are swallowed, and their connection is cut. */
  #swallowed: { readonly start: string; left: number } | null = null;
  #isDown = false;

  private constructor(port: () => number) {
    this.#server = createServer((client) => this.#join(client, connect(port(), "127.0.0.1")));
  }

  static async open(port: () => number): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(port);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/rootfset`;
  }

  /** The next `count` requests that start so reach the server; their replies do not come back. */
  swallowReplies(start: string, count: number): void {
    this.#swallowed = { start, left: count };
  }

  /** How many replies are still to be swallowed. */
  get left(): number {
    return this.#swallowed?.left ?? 0;
  }

  setDown(isDown: boolean): void {
    this.#isDown = isDown;
    if (isDown) for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.setDown(true);
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(client: Socket, server: Socket): void {
    let isCut = false;
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    if (this.#isDown) {
      client.destroy();
      return;
    }
    client.on("data", (bytes) => {
      const swallowed = this.#swallowed;
      if (swallowed !== null && swallowed.left > 0 && bytes.includes(swallowed.start)) {
        swallowed.left -= 1;
        isCut = true;
      }
      server.write(bytes);
    });
    server.on("data", (bytes) => {
      if (isCut) client.destroy();
      else client.write(bytes);
    });
  }
}

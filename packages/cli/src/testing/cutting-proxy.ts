import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** Stands between a client and a server, and cuts the way back. */
export interface CuttingProxy extends AsyncDisposable {
  /** The server's URL, through the proxy. */
  readonly url: string;
  /** The next connections lose their answer after so many bytes, one number for each. */
  cutAnswersAfter(...bytes: number[]): void;
  /** Answers cut so far. */
  readonly cutCount: number;
}

/** A proxy of TCP connections on the loopback address to the server at `serverUrl`. */
export async function openCuttingProxy(serverUrl: string): Promise<CuttingProxy> {
  const target = new URL(serverUrl);
  const cuts: number[] = [];
  let cutCount = 0;
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = connect(Number(target.port), target.hostname);
    let left = cuts.shift() ?? Infinity;
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        client.destroy();
        server.destroy();
      });
    }
    client.on("data", (chunk) => server.write(chunk));
    server.on("data", (chunk) => {
      if (chunk.length < left) {
        left -= chunk.length;
        client.write(chunk);
      } else {
        cutCount += 1;
        server.removeAllListeners("data").pause();
        client.write(chunk.subarray(0, left), () => client.destroy());
      }
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const { port } = proxy.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${target.pathname}`,
    cutAnswersAfter: (...bytes) => void cuts.push(...bytes),
    get cutCount() {
      return cutCount;
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}

/** A mount's metrics over HTTP, for a Prometheus on the same machine: they are behind no token. */
import { once } from "node:events";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

import type { MountControl } from "@izo/client";
import { EXPOSITION_TYPE, isLoopback } from "@izo/core";
import { nodeHttp } from "@izo/sys";

import { parseListen } from "../parse-address.ts";
import { UsageError } from "../usage-error.ts";

export interface MetricsServer extends AsyncDisposable {
  readonly url: string;
}

/** @throws UsageError for what is no address, or one that others reach */
export function parseMetricsAddress(text: string): { host: string; port: number } {
  const address = parseListen(text);
  if (isLoopback(address.host)) return address;
  throw new UsageError(
    `Cannot serve metrics on ${address.host}: other machines reach it, and nobody is asked for a token`,
    "use 127.0.0.1:PORT, or izo metrics MNT where something else collects them",
  );
}

/** Serves them until it is disposed of. @throws UsageError; the system's error where the port is taken */
export async function serveMetrics(
  address: string,
  control: Pick<MountControl, "metrics">,
): Promise<MetricsServer> {
  const { host, port } = parseMetricsAddress(address);
  const server = nodeHttp.createServer((request, response) => {
    if (request.method !== "GET" || request.url?.split("?")[0] !== "/metrics") {
      response.writeHead(404).end("There is only GET /metrics\n");
      return;
    }
    void answer(control).then(
      (text) => response.writeHead(200, { "Content-Type": EXPOSITION_TYPE }).end(text),
      () => response.writeHead(500).end("The mount does not tell\n"),
    );
  });
  server.listen(port, host);
  await once(server, "listening");
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${bound}/metrics`,
    [Symbol.asyncDispose]: () => close(server),
  };
}

async function answer(control: Pick<MountControl, "metrics">): Promise<string> {
  return await control.metrics();
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  if (server.listening) await once(server, "close");
}

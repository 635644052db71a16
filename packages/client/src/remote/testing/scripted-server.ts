import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { HEADERS, PROTOCOL_VERSION } from "@izo/core";

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A listening HTTP server that does what a test says, however wrong; with what it was asked. */
export interface ScriptedServer extends AsyncDisposable {
  /** URL of a fileset on it. */
  readonly url: string;
  readonly requests: readonly IncomingMessage[];
}

/**
 * Serves on the loopback address. The answers are given in turn, the last one again and again; each
 * states the protocol's version unless it says otherwise.
 */
export async function serveScript(...answers: readonly Answer[]): Promise<ScriptedServer> {
  const requests: IncomingMessage[] = [];
  const server = createServer((request, response) => {
    const answer = answers[Math.min(requests.length, answers.length - 1)]!;
    requests.push(request);
    response.setHeader(HEADERS.protocol, String(PROTOCOL_VERSION));
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/rootfset`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

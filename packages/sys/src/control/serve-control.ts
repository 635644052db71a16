/**
 * How other processes of this machine ask a running one: HTTP with JSON over a Unix socket in its own
 * directory. Holds no state; a crash leaves the socket's file, which the next start replaces. Only the
 * owner of the socket can call.
 */
import { chmodSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";

import { nodeHttp } from "../node-http.ts";
import { CONTROL_SOCKET, withSocketPath } from "./control-socket.ts";

/** What is asked: the address, the body as JSON where there is one, and whether the caller still waits. */
export interface ControlRequest {
  readonly url: URL;
  readonly body: unknown;
  readonly signal: AbortSignal;
}

/** Answers one call; what it returns is sent as JSON, what it throws with its code and its text. */
export type ControlHandler = (asked: ControlRequest) => unknown;

/** By method and path: `{ "POST /flush": ({ signal }) => … }`. */
export type ControlHandlers = Readonly<Record<string, ControlHandler>>;

/**
 * Serves the control socket of a directory until it is disposed of. The caller holds the directory's
 * lock, so a socket that is there already belongs to nobody. A caller that goes away aborts the signal
 * of its handler.
 */
export async function serveControl(
  directory: string,
  handlers: ControlHandlers,
): Promise<AsyncDisposable> {
  const server = nodeHttp.createServer(
    (request, response) => void answer(handlers, request, response),
  );
  const file = join(directory, CONTROL_SOCKET);
  rmSync(file, { force: true });
  await withSocketPath(directory, (path) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject).listen(path, resolve);
    return promise;
  });
  chmodSync(file, 0o600);
  return {
    async [Symbol.asyncDispose]() {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      // Answers that are on their way still leave.
      server.closeIdleConnections();
      await promise;
      rmSync(file, { force: true });
    },
  };
}

async function answer(
  handlers: ControlHandlers,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const url = new URL(request.url ?? "/", "http://control");
  const key = `${request.method} ${url.pathname}`;
  try {
    const handler = Object.hasOwn(handlers, key) ? handlers[key] : undefined;
    if (handler === undefined) {
      throw new TypeError(`Cannot answer ${key}: this process does not know it`);
    }
    const text = await readText(request);
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    send(response, 200, (await handler({ url, body, signal: gone.signal })) ?? {});
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "control-failed";
    send(response, 500, { code, message: error instanceof Error ? error.message : String(error) });
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json", connection: "close" });
  response.end(JSON.stringify(body));
}

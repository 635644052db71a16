/**
 * Answers `izo status`, `flush`, `wait`, `umount` and changes of settings for a running mount: HTTP with JSON over a Unix
 * socket in the cache directory. Holds no state; a crash leaves the socket's file, which the next start
 * replaces. The worst that a caller can do is to unmount, and only the cache's owner can call.
 */
import { rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";

import { isRecno } from "@izo/core";

import { type SettingsChange, settingsChangeSchema } from "../settings/mount-settings.ts";
import { CONTROL_SOCKET, withSocketPath } from "./control-socket.ts";
import type { MountControl } from "./mount-control.ts";

/** What is asked: the address, the body as JSON where there is one, and whether the caller still waits. */
interface Asked {
  readonly url: URL;
  readonly body: unknown;
  readonly signal: AbortSignal;
}

type Handler = (control: MountControl, asked: Asked) => Promise<unknown>;

const HANDLERS: Readonly<Record<string, Handler>> = {
  "GET /status": async (control) => control.status(),
  "POST /flush": (control, { signal }) => control.flush(signal),
  "POST /settings": async (control, { body }) =>
    control.changeSettings(settingsChangeSchema.parse(body) as SettingsChange),
  "POST /wait": (control, { url, signal }) => {
    const recno = Number(url.searchParams.get("recno"));
    if (!isRecno(recno)) throw new TypeError(`Cannot wait for record ${recno}: it is no number`);
    return control.waitFor(recno, signal);
  },
  "POST /unmount": (control) => control.unmount(),
};

/**
 * Serves the control socket of a mount. The caller holds the cache's lock, so a socket that is there
 * already belongs to nobody.
 */
export async function serveControl(
  cacheDir: string,
  control: MountControl,
): Promise<AsyncDisposable> {
  const server = createServer((request, response) => void answer(control, request, response));
  const file = join(cacheDir, CONTROL_SOCKET);
  rmSync(file, { force: true });
  await withSocketPath(cacheDir, (path) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject).listen(path, resolve);
    return promise;
  });
  return {
    async [Symbol.asyncDispose]() {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      // Answers that are on their way, that to /unmount among them, still leave.
      server.closeIdleConnections();
      await promise;
      rmSync(file, { force: true });
    },
  };
}

async function answer(
  control: MountControl,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const url = new URL(request.url ?? "/", "http://control");
  const handler = HANDLERS[`${request.method} ${url.pathname}`];
  try {
    if (handler === undefined)
      throw new TypeError(`Cannot answer ${request.method} ${url.pathname}`);
    const text = await readText(request);
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    send(response, 200, (await handler(control, { url, body, signal: gone.signal })) ?? {});
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "control-failed";
    send(response, 500, { code, message: error instanceof Error ? error.message : String(error) });
  }
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json", connection: "close" });
  response.end(JSON.stringify(body));
}

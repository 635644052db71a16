/**
 * The whole protocol for the administrator of the server's machine, on a socket in the state directory:
 * what only asks and pushes as a client does needs no other way in. Whoever can open the socket (mode 0600
 * below a directory of mode 0700) can read and change everything there anyhow, so no token is asked for.
 */
import { chmodSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";

import { createAdaptorServer } from "@hono/node-server";
import { API_SOCKET, withSocketPath } from "@izo/sys";

/**
 * Serves until it is disposed of. The caller holds the lock of the directory, so a socket that is there
 * already belongs to nobody.
 */
export async function serveLocalApi(
  stateDirectory: string,
  fetch: (request: Request) => Response | Promise<Response>,
): Promise<AsyncDisposable> {
  const server = createAdaptorServer({ fetch }) as Server;
  const file = join(stateDirectory, API_SOCKET);
  rmSync(file, { force: true });
  const listen = (path: string): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once("error", reject).listen(path, resolve);
    return promise;
  };
  await withSocketPath(stateDirectory, listen, API_SOCKET);
  chmodSync(file, 0o600);
  return {
    async [Symbol.asyncDispose]() {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      server.closeAllConnections();
      await promise;
      rmSync(file, { force: true });
    },
  };
}

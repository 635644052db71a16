import { connect, type Socket } from "node:net";

import { API_SOCKET, withSocketPath } from "@izo/sys";
import type { buildConnector } from "undici";

/** Opens connections to the server of an export of this machine, by the socket in its state directory. */
export function socketConnector(stateDirectory: string): buildConnector.connector {
  return (_target, callback) => {
    withSocketPath(stateDirectory, open, API_SOCKET).then(
      // oxlint-disable-next-line promise/no-callback-in-promise -- undici's connectors take callbacks
      (socket) => callback(null, socket),
      // oxlint-disable-next-line promise/no-callback-in-promise
      (error: Error) => callback(error, null),
    );
  };
}

function open(path: string): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect(path);
  socket.once("error", reject).once("connect", () => {
    socket.off("error", reject);
    resolve(socket);
  });
  return promise;
}

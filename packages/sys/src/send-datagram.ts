import { checkResult } from "./check-result.ts";
import { native } from "./native/load.ts";

/**
 * Sends one datagram to a UNIX socket, sendto(2), without waiting for a receiver that does not read. A path that begins
 * with `@` names a socket of the abstract namespace, unix(7).
 *
 * @throws {SysError} ENOENT and ECONNREFUSED where nobody listens, EAGAIN where its queue is full.
 */
export function sendDatagram(path: string, message: Uint8Array): void {
  checkResult(native().sendDatagram(path, message), "sendto");
}

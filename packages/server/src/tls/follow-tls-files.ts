import type { Server } from "node:https";

import { readTlsFiles, type TlsFiles, versionOfTlsFiles } from "./tls-files.ts";

/** How often the files are looked at. */
const LOOK_MS = 2_000;

/** Keeps a server's certificate that of its files. */
export interface FollowedTls extends Disposable {
  /** Takes the files as they are now, at once. Connections that stand keep what they began with. */
  reload(): void;
}

/**
 * Gives a server the certificate anew whenever its files have changed. A certificate that does not fit its
 * key, as in the moment between the replacement of one and of the other, is told of and not taken: the
 * last good one goes on.
 */
export function followTlsFiles(
  server: Server,
  files: TlsFiles,
  onError: (error: unknown) => void,
): FollowedTls {
  let version = versionOfTlsFiles(files);
  const reload = (): void => {
    version = versionOfTlsFiles(files);
    try {
      server.setSecureContext(readTlsFiles(files));
    } catch (error) {
      onError(error);
    }
  };
  const timer = setInterval(() => {
    if (versionOfTlsFiles(files) !== version) reload();
  }, LOOK_MS).unref();
  return { reload, [Symbol.dispose]: () => clearInterval(timer) };
}

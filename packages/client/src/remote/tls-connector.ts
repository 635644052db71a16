import { buildConnector } from "undici";

import type { Credentials } from "./credentials.ts";
import { FollowedFile } from "./followed-file.ts";

/**
 * Opens connections with the certificates as their files are now: renewed ones count from the next
 * connection on.
 */
export function tlsConnector(
  { caFile, certFile, keyFile }: Credentials,
  options: buildConnector.BuildOptions,
): buildConnector.connector {
  const ca = followed(caFile);
  const cert = followed(certFile);
  const key = followed(keyFile);
  let version = "";
  let connect = buildConnector(options);
  return (target, callback) => {
    try {
      const files = {
        ...(ca !== null && { ca: ca.text() }),
        ...(cert !== null && { cert: cert.text() }),
        ...(key !== null && { key: key.text() }),
      };
      const now = JSON.stringify(files);
      if (now !== version) {
        version = now;
        connect = buildConnector({ ...options, ...files });
      }
    } catch (error) {
      callback(error as Error, null);
      return;
    }
    connect(target, callback);
  };
}

function followed(path: string | undefined): FollowedFile | null {
  return path === undefined ? null : new FollowedFile(path);
}

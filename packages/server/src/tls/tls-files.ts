import { readFileSync, statSync } from "node:fs";
import { createSecureContext, type SecureContextOptions } from "node:tls";

import { IzoError } from "@izo/core";

/** Files of PEM with which a server speaks TLS. */
export interface TlsFiles {
  /** The certificate, followed by those between it and its authority. */
  readonly certFile: string;
  readonly keyFile: string;
  /** Clients need a certificate that one of these authorities has signed. */
  readonly clientCaFile?: string | undefined;
}

/** The files are not there, or certificate and key do not belong together. */
export class UnusableTlsError extends IzoError {
  constructor({ certFile, keyFile }: TlsFiles, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(
      "unusable-tls",
      `Cannot use the certificate "${certFile}" with the key "${keyFile}": ${reason}`,
      { certFile, keyFile },
      { cause },
    );
  }
}

/** What the files hold now. @throws UnusableTlsError */
export function readTlsFiles(files: TlsFiles): SecureContextOptions {
  const { certFile, keyFile, clientCaFile } = files;
  try {
    const context = {
      cert: readFileSync(certFile),
      key: readFileSync(keyFile),
      ...(clientCaFile !== undefined && { ca: readFileSync(clientCaFile) }),
    };
    // Checks that they belong together.
    createSecureContext(context);
    return context;
  } catch (cause) {
    throw new UnusableTlsError(files, cause);
  }
}

/** Differs after every change of one of the files; the same while one of them is missing. */
export function versionOfTlsFiles({ certFile, keyFile, clientCaFile }: TlsFiles): string {
  return [certFile, keyFile, clientCaFile]
    .filter((path) => path !== undefined)
    .map((path) => {
      const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
      return stat === undefined ? "" : `${stat.ino} ${stat.mtimeNs} ${stat.ctimeNs} ${stat.size}`;
    })
    .join("\n");
}

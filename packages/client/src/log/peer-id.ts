import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";

import { isId, IzoError, type PeerId } from "@izo/core";
import { replaceFile } from "@izo/sys";

/** The file that says who this client is holds something else. */
export class InvalidPeerIdError extends IzoError {
  constructor(path: string) {
    super("invalid-sysid", `Cannot read the peer id in "${path}": it is no UUID without dashes`, {
      path,
    });
  }
}

/** A new peer id: a random UUID without dashes. */
export function makePeerId(): PeerId {
  return randomUUID().replaceAll("-", "") as PeerId;
}

/** The peer id in a file, or undefined where there is no such file. @throws InvalidPeerIdError */
export function readPeerId(path: string): PeerId | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  if (!isId(text)) throw new InvalidPeerIdError(path);
  return text;
}

/** Makes `peer` the id in a file, at once and durably: no record is made between the two ids. */
export function writePeerId(path: string, peer: PeerId): void {
  replaceFile(path, `${peer}\n`);
}

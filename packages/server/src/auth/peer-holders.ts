/**
 * Which holder of tokens a peer belongs to: whoever first used its id, by the name of his token. Nobody
 * else can go on under it, and so neither push in its name nor say how far it has read. On disk as
 * `token-peers` in the state directory, replaced as a whole and durable before the first request of a peer
 * is answered. Lost, peers are bound anew by who comes first.
 */
import { readFileSync } from "node:fs";

import { IzoError, isId, type PeerId, ProblemError } from "@izo/core";
import { replaceFile } from "@izo/sys";
import { z } from "zod";

/** Peers of one holder. A mount has one, and gets another when its cache was copied. */
const MAX_PEERS = 4_096;

const schema = z.strictObject({
  version: z.literal(1),
  holders: z.record(z.string().refine(isId), z.string()),
});

export class PeerHolders {
  readonly #path: string;
  readonly #holders: Map<string, string>;

  /** @throws IzoError `invalid-token-file` */
  constructor(path: string) {
    this.#path = path;
    this.#holders = read(path);
  }

  /** Binds a new peer to a holder. @throws ProblemError `peer-taken` */
  claim(peer: PeerId, holder: string): void {
    const found = this.#holders.get(peer);
    if (found === holder) return;
    if (found !== undefined || this.#countOf(holder) >= MAX_PEERS) {
      const reason =
        found === undefined
          ? `its holder has ${MAX_PEERS} peers already`
          : "it belongs to the holder of another token";
      throw new ProblemError("peer-taken", `Cannot go on as the peer ${peer}: ${reason}`, { peer });
    }
    this.#holders.set(peer, holder);
    this.#write();
  }

  /** Whoever comes next may have it. */
  release(peer: PeerId): void {
    if (this.#holders.delete(peer)) this.#write();
  }

  #countOf(holder: string): number {
    let count = 0;
    for (const one of this.#holders.values()) if (one === holder) count += 1;
    return count;
  }

  #write(): void {
    const holders = Object.fromEntries(this.#holders);
    replaceFile(this.#path, `${JSON.stringify({ version: 1, holders }, null, 2)}\n`);
  }
}

function read(path: string): Map<string, string> {
  try {
    const { holders } = schema.parse(JSON.parse(readFileSync(path, "utf8")));
    return new Map(Object.entries(holders));
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return new Map();
    throw new IzoError(
      "invalid-token-file",
      `Cannot use "${path}": it does not say which peer belongs to which holder`,
      { path },
      { cause },
    );
  }
}

/**
 * The permits under which this cache may hold records that are not on the server: `permits.json` in the
 * cache directory. It is durable before the first record is made under a permit, so that a push after a
 * crash still states it. A line too many costs one push that is refused and sent again without it.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { type Epoch, isId, type Oid, type PeerId, type PermitFence } from "@izo/core";
import { replaceFile } from "@izo/sys";
import { z } from "zod";

/** A grant, and to whom it was made: this client may have taken another id since. */
export interface NotedPermit extends PermitFence {
  readonly peer: PeerId;
}

const id = z.custom<string>((value) => typeof value === "string" && isId(value));
const schema = z.object({
  permits: z.array(z.object({ oid: id, epoch: z.int().min(0), peer: id })),
});

export class PermitNote {
  readonly #path: string;
  #permits: readonly NotedPermit[];

  /** A note that cannot be read is none: what was made under a permit is then judged as any other. */
  constructor(cacheDir: string) {
    this.#path = join(cacheDir, "permits.json");
    this.#permits = read(this.#path);
  }

  /** In the order of their grants. */
  get permits(): readonly NotedPermit[] {
    return this.#permits;
  }

  /** Durable when it returns. */
  add(permit: NotedPermit): void {
    if (this.#permits.some((noted) => isSame(noted, permit))) return;
    this.#replace([...this.#permits, permit]);
  }

  /** @returns whether it was noted */
  remove(permit: PermitFence): boolean {
    const rest = this.#permits.filter((noted) => !isSame(noted, permit));
    if (rest.length === this.#permits.length) return false;
    this.#replace(rest);
    return true;
  }

  #replace(permits: readonly NotedPermit[]): void {
    replaceFile(this.#path, `${JSON.stringify({ permits })}\n`);
    this.#permits = permits;
  }
}

function isSame(a: PermitFence, b: PermitFence): boolean {
  return a.oid === b.oid && a.epoch === b.epoch;
}

function read(path: string): readonly NotedPermit[] {
  if (!existsSync(path)) return [];
  try {
    const { permits } = schema.parse(JSON.parse(readFileSync(path, "utf8")));
    return permits.map(({ oid, epoch, peer }) => ({
      oid: oid as Oid,
      epoch: epoch as Epoch,
      peer: peer as PeerId,
    }));
  } catch {
    return [];
  }
}

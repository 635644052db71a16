import type { Entry, Name, Oid } from "@izo/core";

import { LinkCache } from "./link-cache.ts";
import { ObjectCache } from "./object-cache.ts";

interface AskedName {
  readonly parent: Oid;
  readonly name: Name;
  readonly entry: Entry | undefined;
}

/** What the connection that writes has read or changed lately; it is forgotten when a transaction is taken back. */
export class StateCache {
  readonly links = new LinkCache();
  readonly objects = new ObjectCache();
  #asked: AskedName | null = null;

  /** The name that was asked for last: who makes room under it asks before who puts an entry there. */
  get asked(): AskedName | null {
    return this.#asked;
  }

  noteAsked(asked: AskedName | null): void {
    this.#asked = asked;
  }

  clear(): void {
    this.links.clear();
    this.objects.clear();
    this.#asked = null;
  }
}

import type { Oid, Sha256 } from "@izo/core";

import { unreachable } from "../content/fetch-failure.ts";
import { Arrival, type ArrivalOptions } from "./arrival.ts";
import type { PartialShelf } from "./partial-shelf.ts";

/** What all arrivals of a cache share. */
export interface ArrivalsOptions extends Pick<ArrivalOptions, "follow" | "reclaim" | "signal"> {
  readonly shelf: PartialShelf;
  /** The server; undefined while there is none. */
  readonly source: () => ReturnType<ArrivalOptions["source"]> | undefined;
  readonly failureOf: (
    error: unknown,
    sha256: Sha256,
    source: ReturnType<ArrivalOptions["source"]> | undefined,
  ) => unknown;
}

/** Large contents that are being fetched, or are not and still have readers: one for each object. */
export class Arrivals {
  readonly #options: ArrivalsOptions;
  readonly #current = new Map<Oid, Arrival>();

  constructor(options: ArrivalsOptions) {
    this.#options = options;
  }

  /** The object's, whatever content it is of. */
  get(oid: Oid): Arrival | undefined {
    return this.#current.get(oid);
  }

  /** That of a content for an object; begun, or gone on with, where there is none. */
  of(
    oid: Oid,
    { sha256, sizeBytes }: { readonly sha256: Sha256; readonly sizeBytes: number },
    bypassCaches: boolean,
  ): Arrival {
    const known = this.#current.get(oid);
    if (known?.sha256 === sha256) return known;
    const { shelf, source, failureOf, ...shared } = this.#options;
    const arrival = new Arrival({
      ...shared,
      sha256,
      sizeBytes,
      file: shelf.take(sha256, sizeBytes),
      source: () => {
        const found = source();
        if (found === undefined) throw unreachable(sha256);
        return found;
      },
      failureOf: (error, from) => failureOf(error, sha256, from),
      bypassCaches,
    });
    this.#current.set(oid, arrival);
    return arrival;
  }

  /** What is here of it stays for the next one. */
  drop(oid: Oid, arrival: Arrival): void {
    this.forget(oid, arrival);
    arrival[Symbol.dispose]();
  }

  /** It has ended, and is its caller's. */
  forget(oid: Oid, arrival: Arrival): void {
    if (this.#current.get(oid) === arrival) this.#current.delete(oid);
  }
}

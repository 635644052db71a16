import {
  MAX_INLINE_BYTES,
  MAX_PACK_RECNOS,
  type Oid,
  type Recno,
  type Sha256,
  type TreeObject,
} from "@izo/core";

/** A content that an object shows and that is to be here. */
export interface Wanted {
  readonly oid: Oid;
  readonly sha256: Sha256;
  readonly sizeBytes: number;
  /** The CLOSE that names it. */
  readonly recno: Recno;
}

/** Small contents of one range of the log, by hash: equal files are one content. */
export type Pack = Map<Sha256, Wanted[]>;

/** Contents that are wanted equally much, and not here: small ones by their place in the log. */
export class WantedContents {
  /** By object: a newer content takes the place of an older one that was not fetched yet. */
  readonly #single = new Map<Oid, Wanted>();
  /** By the number of the range of recnos that holds the content's CLOSE. */
  readonly #packs = new Map<number, Pack>();

  get isEmpty(): boolean {
    return this.#single.size === 0 && this.#packs.size === 0;
  }

  /** @param object a file whose content has a hash and a server's version */
  add(object: TreeObject & { readonly sha256: Sha256 }, recno: Recno): void {
    const { oid, sha256, sizeBytes } = object;
    const wanted = { oid, sha256, sizeBytes, recno };
    if (sizeBytes > MAX_INLINE_BYTES || recno === 0) {
      this.addSingle(wanted);
      return;
    }
    const range = Math.floor((recno - 1) / MAX_PACK_RECNOS);
    let pack = this.#packs.get(range);
    if (pack === undefined) this.#packs.set(range, (pack = new Map()));
    const equal = pack.get(sha256) ?? [];
    if (!equal.some((each) => each.oid === oid)) pack.set(sha256, [...equal, wanted]);
  }

  /** To be asked for by itself. */
  addSingle(wanted: Wanted): void {
    this.#single.set(wanted.oid, wanted);
  }

  get hasPacks(): boolean {
    return this.#packs.size > 0;
  }

  /** The next pack that is not among some, which stays until {@link removePack}. */
  nextPack(except: {
    has(range: number): boolean;
  }): readonly [range: number, pack: Pack] | undefined {
    for (const next of this.#packs) if (!except.has(next[0])) return next;
    return undefined;
  }

  removePack(range: number): void {
    this.#packs.delete(range);
  }

  /** The next single ones, which stay until {@link removeSingle}. */
  nextSingles(count: number): Wanted[] {
    const singles: Wanted[] = [];
    for (const wanted of this.#single.values()) {
      if (singles.length === count) break;
      singles.push(wanted);
    }
    return singles;
  }

  /** Unless another content of the object is wanted by now. */
  removeSingle({ oid, sha256 }: Wanted): void {
    if (this.#single.get(oid)?.sha256 === sha256) this.#single.delete(oid);
  }
}

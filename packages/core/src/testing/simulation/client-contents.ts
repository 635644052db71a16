import { EMPTY_SHA256, type Sha256, type TimeNs } from "../../kml/identity.ts";
import type { TreeObject } from "../../replay/tree-object.ts";
import type { Random } from "./random.ts";

/** The contents in a client's cache, each a hash that stands for its bytes. */
export class ClientContents {
  /** What a file held when it was closed, by the modification time that its CLOSE says: each is its own. */
  readonly #closed = new Map<TimeNs, Sha256>();
  readonly #here = new Set<Sha256>([EMPTY_SHA256]);
  readonly #synced = new Set<Sha256>([EMPTY_SHA256]);

  has(sha256: Sha256): boolean {
    return this.#here.has(sha256);
  }

  isSynced(sha256: Sha256): boolean {
    return this.#synced.has(sha256);
  }

  /** A program closed a file with this content, at a time that no other CLOSE has. */
  write(mtimeNs: TimeNs, content: Sha256): void {
    this.#closed.set(mtimeNs, content);
    this.#here.add(content);
  }

  sync(sha256: Sha256): void {
    this.#synced.add(sha256);
  }

  /** A content came from the server. A cache that lost it would fetch it again. */
  fetch(sha256: Sha256): void {
    this.#here.add(sha256);
    this.#synced.add(sha256);
  }

  /** What a program would read from a file, also where its hash is not known yet. */
  of({ kind, sha256, mtimeNs }: TreeObject): Sha256 | null {
    return kind === "file" ? (sha256 ?? this.#closed.get(mtimeNs) ?? null) : null;
  }

  /** What the file holds that was closed at this time. */
  closedAt(mtimeNs: TimeNs): Sha256 {
    const content = this.#closed.get(mtimeNs);
    if (content === undefined) throw new Error(`Cannot find what was closed at ${mtimeNs}`);
    return content;
  }

  /** What was not synced may be torn now. Returns what was lost by that. */
  powerCut(random: Random): Sha256[] {
    const lost: Sha256[] = [];
    for (const [mtimeNs, content] of this.#closed) {
      if (this.#synced.has(content) || random.chance(0.5)) continue;
      const torn = `${"0".repeat(8)}${content.slice(8)}` as Sha256;
      this.#closed.set(mtimeNs, torn);
      this.#here.delete(content);
      this.#here.add(torn);
      lost.push(content);
    }
    return lost;
  }

  copy(): ClientContents {
    const copy = new ClientContents();
    for (const [mtimeNs, content] of this.#closed) copy.#closed.set(mtimeNs, content);
    for (const content of this.#here) copy.#here.add(content);
    for (const content of this.#synced) copy.#synced.add(content);
    return copy;
  }
}

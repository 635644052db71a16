import { EMPTY_SHA256, type Sha256 } from "../../kml/identity.ts";

/**
 * Knows which contents have to exist at the end (promise 4), from what programs did and what machines
 * lost alone: a content may be gone only when somebody who saw it overwrote or removed it, or when a
 * power cut took it before it was synced. It knows nothing of bases, versions or conflicts, so it
 * cannot share an error with the judge.
 */
export class Oracle {
  readonly #written = new Map<Sha256, string>();
  readonly #excused = new Set<Sha256>();

  /** A program closed a file with this content, unique to this one write. */
  write(content: Sha256, story: string): void {
    this.#written.set(content, story);
  }

  /** A program that saw this content overwrote or removed it. */
  replace(content: Sha256 | null): void {
    if (content !== null && content !== EMPTY_SHA256) this.#excused.add(content);
  }

  /** A power cut took it, and nobody had asked for it to be durable. */
  lose(content: Sha256): void {
    this.#excused.add(content);
  }

  /** What disappeared silently, given what exists at the end; empty when promise 4 is kept. */
  missing(existing: ReadonlySet<Sha256>): string[] {
    return [...this.#written]
      .filter(([content]) => !this.#excused.has(content) && !existing.has(content))
      .map(([content, story]) => `${content.slice(0, 8)} (${story})`);
  }
}

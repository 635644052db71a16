import type { Oid, Sha256, TreeObject } from "@izo/core";

import type { SmallContent } from "../../sync/cache-executor.ts";

/**
 * Small contents that came together, each for its object, so that a file that is made meanwhile is made with
 * its content: a placeholder that is filled later costs twice as much.
 */
export class ContentsAtHand {
  readonly #contents: ReadonlyMap<Oid, SmallContent>;
  #takenBytes = 0;

  constructor(contents: readonly SmallContent[]) {
    this.#contents = new Map(contents.map((content) => [content.oid, content]));
  }

  /** How many bytes were taken so far. */
  get takenBytes(): number {
    return this.#takenBytes;
  }

  /** The content that the object shows. */
  find({ oid, sha256, sizeBytes }: TreeObject): { sha256: Sha256; bytes: Uint8Array } | undefined {
    const content = this.#contents.get(oid);
    return content?.sha256 === sha256 && content.bytes.length === sizeBytes ? content : undefined;
  }

  /** {@link find} for an inode that has it from now on. */
  take(object: TreeObject): ReturnType<ContentsAtHand["find"]> {
    const content = this.find(object);
    if (content !== undefined) this.noteTaken(object.sizeBytes);
    return content;
  }

  /** One of so many bytes has an inode from now on. */
  noteTaken(bytes: number): void {
    this.#takenBytes += bytes;
  }
}

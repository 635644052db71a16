/**
 * What this mount may change, as its server last said: `scope.json` in the cache directory. A mount that
 * starts without its server goes by it. A note that is lost lets programs change what the server will
 * then not take: it waits, and nothing of it is lost.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { replaceFile } from "@izo/sys";
import { z } from "zod";

const schema = z.object({ changesBelow: z.string().nullable() });

export class ScopeNote {
  readonly #path: string;
  #changesBelow: string | null;

  constructor(cacheDir: string) {
    this.#path = join(cacheDir, "scope.json");
    this.#changesBelow = read(this.#path);
  }

  /** Changes are allowed below this path; `/` for all, null for none. */
  get changesBelow(): string | null {
    return this.#changesBelow;
  }

  /** Counts from now on, and is durable when it returns. @returns whether it is another one */
  learn(changesBelow: string | null): boolean {
    if (changesBelow === this.#changesBelow) return false;
    this.#changesBelow = changesBelow;
    replaceFile(this.#path, `${JSON.stringify({ changesBelow })}\n`);
    return true;
  }
}

function read(path: string): string | null {
  if (!existsSync(path)) return "/";
  try {
    return schema.parse(JSON.parse(readFileSync(path, "utf8"))).changesBelow;
  } catch {
    return "/";
  }
}

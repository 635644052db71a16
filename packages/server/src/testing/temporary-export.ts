import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Export } from "../export/export.ts";
import { openExport, type OpenExportOptions } from "../export/open-export.ts";

/** A directory of its own, removed in the end. */
export async function temporaryDirectory(): Promise<AsyncDisposable & { readonly dir: string }> {
  const dir = await mkdtemp(join(tmpdir(), "izo-export-"));
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) };
}

/** Opens an export with short times, and lets no background error pass. */
export function openTestExport(
  dir: string,
  options: Partial<OpenExportOptions> = {},
): Promise<Export> {
  return openExport({
    dir,
    gatherMs: 5,
    quietMs: 20,
    writerQuietMs: 300,
    onError: (error) => {
      throw error;
    },
    ...options,
  });
}

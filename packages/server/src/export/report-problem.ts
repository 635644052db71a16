import type { Fileset } from "./fileset.ts";

/** Notes that a path could not be done; nothing else is stopped by it. */
export function reportProblem(fileset: Fileset, path: string, error: unknown): void {
  fileset.noteProblem({ path, message: (error as Error).message });
}

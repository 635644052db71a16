import { isFullDisk } from "../log/is-full-disk.ts";
import type { Fileset } from "./fileset.ts";

/** Under which the status names a full disk, among paths. */
const FULL_DISK = "the disk";

type ProblemBook = Pick<Fileset, "noteProblem" | "clearProblem">;

/** Has the status say that the disk is full, if that is what an error says; until something is logged again. */
export function noteFullDisk(fileset: ProblemBook, error: unknown): void {
  if (!isFullDisk(error)) return;
  const message = "it is full: changes wait where they were made, and only removals are taken";
  fileset.noteProblem({ path: FULL_DISK, message });
}

/** Something was logged: there is space. */
export function clearFullDisk(fileset: ProblemBook): void {
  fileset.clearProblem(FULL_DISK);
}

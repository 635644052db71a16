import type { IgnoreRules, PeerId, PolicyRule, RecentWork, TimeNs } from "@izo/core";

import type { CommittedIndex } from "../db/committed-index.ts";
import type { Connection } from "../db/connection.ts";
import type { Ledger } from "../log/ledger.ts";
import type { BatchIntents } from "./apply/batch-intents.ts";
import type { Problem } from "./export.ts";
import type { PermitOffice } from "./permits/permit-office.ts";
import type { StateDirectory } from "./state-directory.ts";

/** What everything that changes a fileset works on. Used by one job of the queue at a time. */
export interface Fileset {
  readonly dir: string;
  readonly rootFd: number;
  /** Open directories of the state, on the same file system as the tree. */
  readonly applyFd: number;
  readonly contentsFd: number;
  readonly objectsFd: number;
  readonly paths: StateDirectory;
  readonly peer: PeerId;
  readonly ledger: Ledger;
  /** The index as committed, and the connection that the ledger writes through. */
  readonly committed: CommittedIndex;
  readonly connection: Connection;
  /** Who may write where, for those who ask. */
  readonly permits: PermitOffice;
  /** What the batch in progress is about to do. */
  readonly intents: BatchIntents;
  /** What becomes of the later of two truths, by path. */
  readonly conflictPolicies: readonly PolicyRule[];
  /** A push that removes more than so many percent of the names has to be confirmed; with 100 none has. */
  readonly heldRemovalPercent: number;
  /** Which names are of the last hour. */
  readonly recentWork: RecentWork;
  /** What of the directory stays out of the fileset. */
  readonly ignore: IgnoreRules;
  readonly nowNs: () => TimeNs;
  /** Reports a path that could not be done; the same path again replaces what was said. */
  readonly noteProblem: (problem: Problem) => void;
  readonly clearProblem: (path: string) => void;
}

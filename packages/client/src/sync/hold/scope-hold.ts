/**
 * Holds back what the server would not take from this mount: changes that were made when its token
 * allowed more than it does now. They would have the whole push refused, and everything behind them
 * waits with them; held back, they wait alone, with what depends on them.
 *
 * What is held is not stored but found anew among the records that wait: it goes as soon as the server
 * says that the mount may change more.
 */
import {
  ChangeScope,
  IzoError,
  type Optimized,
  type PendingRecord,
  type Recno,
  withoutHeld,
} from "@izo/core";

import { pathOfOperation } from "../push/path-of-operation.ts";
import type { LocalReplica } from "../replica/local-replica.ts";

/** What this mount may change, as far as its server has said. */
export interface MountScope {
  /** Changes are allowed below this path; `/` for all, null for none. */
  readonly changesBelow: string | null;
  /** The server has said so. */
  learn(changesBelow: string | null): void;
}

/** Everything, until the server says otherwise to this process: for whoever keeps no note of it. */
export function wholeScope(): MountScope {
  let changesBelow: string | null = "/";
  return {
    get changesBelow() {
      return changesBelow;
    },
    learn: (said) => void (changesBelow = said),
  };
}

/** Own changes wait because the server does not take them from this mount. */
export class ChangesHeldError extends IzoError {
  constructor(changes: number, path: string, changesBelow: string | null) {
    const count = changes === 1 ? "1 change" : `${changes} changes`;
    const why =
      changesBelow === null
        ? "the server takes none of this mount"
        : `the token of this mount allows changes below ${JSON.stringify(changesBelow)} only`;
    super(
      changesBelow === null ? "read-only" : "out-of-scope",
      `Cannot send ${count}, first of ${JSON.stringify(path)}: ${why}`,
      { changes, path, changesBelow },
    );
  }
}

export class ScopeHold {
  readonly #replica: LocalReplica;
  readonly #scope: MountScope;
  /** How often the server has said what this mount may change. */
  asked = 0;

  constructor(replica: LocalReplica, scope: MountScope) {
    this.#replica = replica;
    this.#scope = scope;
  }

  get changesBelow(): string | null {
    return this.#scope.changesBelow;
  }

  learn(changesBelow: string | null): void {
    this.asked += 1;
    this.#scope.learn(changesBelow);
  }

  /** Tells of each record that could be sent, asked in their order, whether it is not sent now. */
  judge(): (record: Pick<PendingRecord, "operation">) => boolean {
    const { changesBelow } = this.#scope;
    if (changesBelow === "/") return () => false;
    if (changesBelow === null) return () => true;
    const scope = new ChangeScope(this.#replica.authoritative, changesBelow);
    // What was sent already may have made directories that the others are in.
    for (const { submitted } of this.#replica.pending.frozen) scope.allows(submitted.operation);
    return ({ operation }) => !scope.allows(operation);
  }

  /** Tells of one record whether it is held. */
  waits(): (record: PendingRecord) => boolean {
    if (this.#scope.changesBelow === "/") return () => false;
    const held = this.#heldAmong(this.#replica.pending.sendable());
    return ({ recno }) => held.has(recno);
  }

  /** Why what waits is not sent, or null where nothing is held. */
  problem(): ChangesHeldError | null {
    const { changesBelow } = this.#scope;
    if (changesBelow === "/") return null;
    const { pending } = this.#replica;
    const frozen = pending.frozen.map(({ submitted }) => submitted);
    const held = this.#outside([...frozen, ...pending.unsent]);
    if (held.length === 0) return null;
    const paths = held.map(({ operation }) => pathOfOperation(operation));
    return new ChangesHeldError(held.length, paths[0]!, changesBelow);
  }

  /** Tells whether some of what was sent, and is not acknowledged, is outside, and some may be inside. */
  isSentOutside(): boolean {
    if (this.#scope.changesBelow === null) return false;
    const frozen = this.#replica.pending.frozen.map(({ submitted }) => submitted);
    return this.#outside(frozen).length > 0;
  }

  /** Tells whether nothing could be sent before the mount may change more. */
  isAllThatWaits(): boolean {
    if (this.#scope.changesBelow === "/") return false;
    const { pending } = this.#replica;
    // Those that are outside take a new id before the others go on.
    if (pending.frozen.length > 0) return this.#scope.changesBelow === null;
    if (this.#replica.unsealed().length > 0) return false;
    const ready = pending.sendable();
    const held = this.#heldAmong(ready);
    const free = withoutHeld(ready, ({ recno }) => held.has(recno));
    return held.size > 0 && free.every(({ record }) => record === null);
  }

  #heldAmong(ready: readonly Optimized[]): ReadonlySet<Recno> {
    const records = ready.flatMap(({ record }) => record ?? []);
    return new Set(this.#outside(records).map(({ recno }) => recno));
  }

  #outside<T extends Pick<PendingRecord, "operation">>(records: readonly T[]): readonly T[] {
    return records.filter(this.judge());
  }
}

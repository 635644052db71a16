import {
  type Base,
  basesOf,
  type ClientOperation,
  type CloseOperation,
  continuingOid,
  isSameVersion,
  type Oid,
  type PeerId,
  type Recno,
  resolveOid,
  resolveOperation,
  type Sha256,
  type Version,
} from "@izo/core";

import type { ChangeLog } from "../change-log.ts";

/** An own record that is not acknowledged, under the number by which others name it. */
interface WaitingRecord {
  readonly recno: Recno;
  readonly operation: ClientOperation;
}

/**
 * What the version means that the mark of an inode names, when it is one of this client's own: which
 * records wait for the inode's content, and which object it belongs to. A conflict, a save over another
 * file or a merge changes what an object id leads to; the version stays with the bytes (design C3).
 */
export class OwnVersions {
  readonly #log: ChangeLog;

  constructor(log: ChangeLog) {
    this.#log = log;
  }

  get peer(): PeerId {
    return this.#log.peer;
  }

  /**
   * Own CLOSEs without a hash that a content of this version stands for: its own, and those that it was
   * written on top of (design D9). Below one that has a hash stands no other: a file that is written without end has
   * thousands of those.
   */
  openCloses(version: Base): Recno[] {
    const found: Recno[] = [];
    for (const { recno, operation } of this.#waitingBelow(version, isSealed)) {
      if (operation.opcode === "CLOSE" && operation.sha256 === null) found.push(recno);
    }
    return found;
  }

  /** The same for the content of an own record. */
  openClosesOf(recno: Recno): Recno[] {
    return this.openCloses({ peer: this.#log.peer, recno });
  }

  /** Tells whether a content of this version is that of an own record, or was written on top of it. */
  isBuiltOn(version: Base, recno: Recno): boolean {
    const wanted = this.#number({ peer: this.#log.peer, recno });
    return wanted !== undefined && this.#isBuiltOn(version, wanted);
  }

  /** Tells whether two versions are one, also where one is named as its author did and one as the server. */
  isSame(a: Version, b: Version): boolean {
    return isSameVersion(this.#settled(a), this.#settled(b));
  }

  /**
   * Tells whether the server may not have a content of this version yet, and its author has put nothing
   * in its place: then the inode is the only place where it is. Of an earlier id of this client nobody
   * knows the numbers, so something waiting is enough.
   */
  isPending(version: Base): boolean {
    if (this.isOfFormerId(version)) return this.#log.pending.size > 0;
    const waiting = this.#waiting(version);
    if (waiting === undefined) return false;
    const owner = this.objectOf(version);
    const shown = owner === undefined ? undefined : this.#log.visible.object(owner);
    if (shown === undefined || this.isSame(shown.contentVersion, version)) return true;
    return !this.#isBuiltOn(shown.contentVersion, waiting.recno);
  }

  /**
   * Tells whether a content of this version was made from one that is not replayed yet: a power cut took
   * back how far the server's log was replayed. What it is about can come again, although nobody knows it.
   */
  isAhead(version: Base): boolean {
    const { recno } = this.#log.position;
    const isBehind = (base: Base): boolean => typeof base === "number" && base > recno;
    if (isBehind(version)) return true;
    for (const { operation } of this.#waitingBelow(version)) {
      if (basesOf(operation).some(isBehind)) return true;
    }
    return false;
  }

  /** Tells whether a record that is not acknowledged names a content. */
  namesContent(sha256: Sha256): boolean {
    const { unsent, frozen } = this.#log.pending;
    const isOf = (operation: ClientOperation): boolean =>
      operation.opcode === "CLOSE" && operation.sha256 === sha256;
    return (
      unsent.some(({ operation }) => isOf(operation)) ||
      frozen.some(({ submitted }) => isOf(submitted.operation))
    );
  }

  /** Tells whether the version was named under an id that this client does not have any more. */
  isOfFormerId(version: Base): boolean {
    return typeof version !== "number" && version.peer !== this.#log.peer;
  }

  /** The CLOSE of this client that made a version, until the server has acknowledged it. */
  closeOf(version: Base): CloseOperation | undefined {
    const operation = this.#waiting(version)?.operation;
    return operation?.opcode === "CLOSE" ? operation : undefined;
  }

  /** {@link closeOf} the number of an own record. */
  ownClose(recno: Recno): CloseOperation | undefined {
    return this.closeOf({ peer: this.#log.peer, recno });
  }

  /** The object that a content of this version belongs to now; undefined where the version does not say. */
  objectOf(version: Base): Oid | undefined {
    const { visible, pending } = this.#log;
    const sent = pending.followSent(version);
    if (typeof sent === "number") return undefined;
    const outcome = visible.outcome(sent);
    if (outcome !== undefined) return resolveOid(outcome.oid, visible);
    const waiting = this.#waiting(version);
    if (waiting === undefined) return undefined;
    const resolution = resolveOperation(waiting.operation, visible);
    if (resolution.kind !== "resolved") return undefined;
    const { operation } = resolution;
    const owner = resolveOid(continuingOid(operation), visible);
    if (operation.opcode !== "RENAME") return owner;
    // What it was to be saved over is not there any more: the file goes on as itself.
    const saved = resolveOid(operation.oid, visible);
    return visible.object(saved) === undefined ? owner : saved;
  }

  #isBuiltOn(version: Version, wanted: Recno): boolean {
    if (this.#number(version) === wanted) return true;
    for (const below of this.#waitingBelow(version)) if (below.recno === wanted) return true;
    return false;
  }

  /** The record of a version that is not acknowledged, and all such that it builds on, down to those that are last. */
  *#waitingBelow(
    version: Base,
    isLast: (operation: ClientOperation) => boolean = () => false,
  ): Iterable<WaitingRecord> {
    const found = new Set<Recno>();
    const bases: Base[] = [version];
    for (let base = bases.pop(); base !== undefined; base = bases.pop()) {
      const record = this.#waiting(base);
      if (record === undefined || found.has(record.recno)) continue;
      found.add(record.recno);
      yield record;
      if (!isLast(record.operation)) bases.push(...basesOf(record.operation));
    }
  }

  #waiting(version: Base): WaitingRecord | undefined {
    const { pending } = this.#log;
    const recno = this.#number(version);
    if (recno === undefined) return undefined;
    const frozen = pending.frozenRecord(recno);
    return frozen === undefined
      ? pending.unsentRecord(recno)
      : { recno, operation: frozen.submitted.operation };
  }

  /** The number under which an own record is known now; undefined for the versions of others. */
  #number(version: Base): Recno | undefined {
    const { pending, peer } = this.#log;
    const sent = pending.followSent(version);
    return typeof sent === "number" || sent.peer !== peer ? undefined : sent.recno;
  }

  #settled(version: Version): Version {
    const { visible, pending } = this.#log;
    const sent = pending.followSent(version);
    if (typeof sent === "number") return sent;
    return visible.outcome(sent)?.contentVersion ?? sent;
  }
}

function isSealed(operation: ClientOperation): boolean {
  return operation.opcode === "CLOSE" && operation.sha256 !== null;
}

/**
 * A client's own log on its machine, one directory for each peer id, with the file `sysid` that says which
 * one counts: as `OwnLog` of the client keeps it.
 */

import type { Disk } from "../../kml/disk.ts";
import type { PeerId, Recno, TimeNs } from "../../kml/identity.ts";
import type { KmlLog } from "../../kml/kml-log.ts";
import { openKmlLog } from "../../kml/open-kml-log.ts";
import type { Operation } from "../../kml/operation.ts";
import { NO_CHECK, type Actor, type KmlRecord } from "../../kml/record.ts";
import { segmentName } from "../../kml/segment-header.ts";
import type { PendingRecord } from "../../sync/pending-record.ts";
import { FILESET, SEGMENT_BYTES } from "./fileset.ts";
import type { Machine } from "./machine.ts";
import { quickHash } from "./quick-hash.ts";

const ACTOR: Actor = { uid: 1000, gid: 1000, groups: [1000], command: "sim" };

/** What is recorded, and when it was done; without a time it happens now. */
export interface OwnEntry {
  readonly operation: Operation;
  readonly authorTimeNs?: TimeNs;
  readonly actor?: Actor;
}

export class SimulatedOwnLog {
  readonly #machine: Machine;
  readonly #now: () => TimeNs;
  #peer: PeerId;
  #log: KmlLog;
  #lastTimeNs: TimeNs = 0n;

  private constructor(machine: Machine, now: () => TimeNs, peer: PeerId, log: KmlLog) {
    this.#machine = machine;
    this.#now = now;
    this.#peer = peer;
    this.#log = log;
  }

  /** @param peer what `sysid` says, which is replaced durably and at once */
  static async open(machine: Machine, peer: PeerId, now: () => TimeNs): Promise<SimulatedOwnLog> {
    const log = new SimulatedOwnLog(machine, now, peer, await openLogOf(machine.disk, peer));
    for (const { logTimeNs } of log.read()) log.#lastTimeNs = logTimeNs;
    return log;
  }

  get peer(): PeerId {
    return this.#peer;
  }

  get head(): Recno {
    return this.#log.head.recno;
  }

  /** The last record that a power cut cannot take. */
  get durable(): Recno {
    return this.#log.durable.recno;
  }

  get hasSealedSegments(): boolean {
    return this.#log.segments().length > 1;
  }

  *read(): Iterable<KmlRecord> {
    for (const scanned of this.#log.read((this.#log.oldest - 1) as Recno)) yield scanned.decode();
  }

  append(entries: readonly OwnEntry[]): KmlRecord[] {
    const first = this.head + 1;
    const records = entries.map((entry, index) =>
      this.#recordOf(entry, this.#peer, (first + index) as Recno),
    );
    this.#log.append(records);
    return records;
  }

  async sync(): Promise<void> {
    await this.#log.sync();
  }

  async truncate(recno: Recno): Promise<void> {
    await this.#log.dropSegmentsBefore(recno);
  }

  /**
   * Goes on under a new id with a log that holds these records, durable before `sysid` names it.
   *
   * @param named called when the new log counts
   */
  async renew(peer: PeerId, records: readonly PendingRecord[], named: () => void): Promise<void> {
    const { disk } = this.#machine;
    const log = await openLogOf(disk, peer);
    if (records.length > 0)
      log.append(records.map((record) => this.#recordOf(record, peer, record.recno)));
    for (const { first } of log.segments()) {
      const file = disk.open(`${directoryOf(peer)}/${segmentName(first)}`, "write");
      file.syncBlocking();
      file.close();
    }
    this.#machine.reach();
    this.#peer = peer;
    this.#log = log;
    named();
  }

  #recordOf({ operation, authorTimeNs, actor }: OwnEntry, peer: PeerId, recno: Recno): KmlRecord {
    const nowNs = this.#now();
    if (nowNs > this.#lastTimeNs) this.#lastTimeNs = nowNs;
    return {
      recno,
      authorTimeNs: authorTimeNs ?? nowNs,
      logTimeNs: this.#lastTimeNs,
      origin: { peer, recno, check: NO_CHECK },
      actor: actor ?? ACTOR,
      operation,
    };
  }
}

function directoryOf(peer: PeerId): string {
  return `own/${peer}`;
}

function openLogOf(disk: Disk, peer: PeerId): Promise<KmlLog> {
  return openKmlLog({
    disk,
    dir: directoryOf(peer),
    fileset: FILESET,
    peer,
    hash: quickHash,
    segmentBytes: SEGMENT_BYTES,
  });
}

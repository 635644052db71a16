import { NO_RECNO, type PeerId } from "../../kml/identity.ts";
import type { Position } from "../../kml/position.ts";
import { NO_CHECK } from "../../kml/record.ts";
import { startPosition } from "../../kml/running-hash.ts";
import type { ReceivedMark } from "../../sync/replica.ts";
import { FILESET } from "./fileset.ts";
import { Machine } from "./machine.ts";
import { quickHash } from "./quick-hash.ts";
import type { Random } from "./random.ts";
import { SimulatedDatabase } from "./simulated-database.ts";

/** Where a client's authoritative tree stands. */
export interface Standing {
  readonly position: Position;
  readonly acknowledged: ReceivedMark;
  /** Whose record {@link acknowledged} is: another id knows nothing of it. */
  readonly peer: PeerId;
  readonly hasTree: boolean;
  /** Places where the tree has stood, oldest first. */
  readonly past: readonly Position[];
}

/** What of a client outlives its process. */
export interface ClientHome {
  /** With the own logs on its disk. */
  readonly machine: Machine;
  readonly index: SimulatedDatabase<Standing>;
  /** Who the client is: a file that is replaced durably, at once. */
  sysid: PeerId;
}

export const NOTHING_ACKNOWLEDGED: ReceivedMark = { recno: NO_RECNO, check: NO_CHECK };

export function makeHome(name: string, random: Random): ClientHome {
  const machine = new Machine(name);
  const sysid = random.hex(32) as PeerId;
  const index = new SimulatedDatabase<Standing>(machine, {
    position: startPosition(FILESET, quickHash),
    acknowledged: NOTHING_ACKNOWLEDGED,
    peer: sysid,
    hasTree: false,
    past: [],
  });
  return { machine, index, sysid };
}

/** The home of a clone: a copy of the disk that was made while the client was running. */
export function copyHome(home: ClientHome, name: string, random: Random): ClientHome {
  const machine = home.machine.copy(name, random);
  return { machine, index: home.index.copyTo(machine, random), sysid: home.sysid };
}

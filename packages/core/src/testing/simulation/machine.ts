import type { Disk } from "../../kml/disk.ts";
import { DiskFault, MemoryDisk } from "../memory-disk.ts";
import type { Random } from "./random.ts";

/** How a machine stops: its processes end, or all of it does, with what was not synced. */
export type StopKind = "kill" | "power cut";

/** The machine has stopped in this call; of a write, some bytes may have been written. */
class MachineStopped extends DiskFault {}

/**
 * A machine with its disk, which can stop at any call: of the disk, and at every other place that calls
 * {@link Machine.reach}. Once it has stopped every call fails, so that nothing which catches an error
 * changes what the next start finds.
 */
export class Machine {
  readonly name: string;
  #disk: MemoryDisk;
  #armed: { callsLeft: number; readonly kind: StopKind; readonly writtenBytes: number } | null =
    null;
  #stopped: StopKind | null = null;
  #stops = 0;

  constructor(name: string) {
    this.name = name;
    this.#disk = new MemoryDisk({ onCall: () => this.reach() });
  }

  get disk(): Disk {
    return this.#disk;
  }

  /** How it stopped, or null while it runs. */
  get stopped(): StopKind | null {
    return this.#stopped;
  }

  /** How often it has stopped so far. */
  get stops(): number {
    return this.#stops;
  }

  /** A place where the machine can stop. */
  reach(): void {
    if (this.#stopped !== null) throw new MachineStopped("EIO");
    if (this.#armed === null) return;
    this.#armed.callsLeft -= 1;
    if (this.#armed.callsLeft > 0) return;
    const { kind, writtenBytes } = this.#armed;
    this.stopNow(kind);
    throw new MachineStopped("EIO", writtenBytes);
  }

  /** Lets the machine stop at a later call; `writtenBytes` of it are written if that is a write. */
  stopAfter(calls: number, kind: StopKind, writtenBytes: number): void {
    this.#armed = { callsLeft: calls, kind, writtenBytes };
  }

  /** No stop any more that was arranged for later. */
  disarm(): void {
    this.#armed = null;
  }

  stopNow(kind: StopKind): void {
    this.#armed = null;
    // The power can also fail while nothing runs, and takes with it what a killed process left.
    if (this.#stopped !== "power cut") this.#stopped = kind;
    this.#stops += 1;
  }

  /** Starts the machine again and returns how it had stopped. */
  restart(random: Random): StopKind {
    const kind = this.#stopped ?? "kill";
    if (kind === "power cut") this.#disk = this.#found(random, this);
    this.#stopped = null;
    return kind;
  }

  /** A machine with a copy of this one's disk, taken while it was running. */
  copy(name: string, random: Random): Machine {
    const copy = new Machine(name);
    copy.#disk = this.#found(random, copy);
    return copy;
  }

  #found(random: Random, owner: Machine): MemoryDisk {
    return this.#disk.powerCut(() => random.next(), { onCall: () => owner.reach() });
  }
}

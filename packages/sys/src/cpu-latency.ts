import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

/** What asks for nothing: `PM_QOS_CPU_LATENCY_DEFAULT_VALUE` of linux/pm_qos.h. */
const NO_LIMIT_US = 2_000_000_000;

/**
 * A request that idle cores be awake again within some microseconds of being wanted (the kernel's PM QoS,
 * Documentation/power/pm_qos_interface). The lowest of all that processes ask for counts; with 0 they wait awake. The
 * kernel forgets the request with the descriptor, so also when this process is killed.
 */
export class CpuLatencyRequest implements Disposable {
  readonly #fd: number;
  readonly #limit = new Int32Array(1);

  /**
   * Asks for nothing yet.
   *
   * @throws {Error} ENOENT where there is no such device, EACCES where it is for others
   */
  constructor(path = "/dev/cpu_dma_latency") {
    this.#fd = openSync(path, "r+");
  }

  /** Takes back what it asks for where `limitUs` is null. Either way all idle cores are woken once. */
  set(limitUs: number | null): void {
    this.#limit[0] = limitUs ?? NO_LIMIT_US;
    writeSync(this.#fd, this.#limit, 0, 4, 0);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

/** What puts idle cores to sleep, as `haltpoll` or `intel_idle`; null where nothing does that a request could hold up. */
export function idleDriver(): string | null {
  try {
    const name = readFileSync("/sys/devices/system/cpu/cpuidle/current_driver", "utf8").trim();
    return name === "none" || name === "" ? null : name;
  } catch {
    return null;
  }
}

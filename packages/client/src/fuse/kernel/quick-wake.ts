/**
 * Keeps idle cores from deep sleep while programs ask often: each request wakes this process and its answer wakes the
 * program, mostly on another core, and where cores sleep deeply that takes longer than the answer (docs/decisions/0019).
 *
 * It is a wish to the kernel that goes with this process, however it ends. Where it may not be made, everything takes
 * as long as without it. While nobody asks nothing runs here.
 */
import { availableParallelism } from "node:os";

import { CpuLatencyRequest, idleDriver } from "@izo/sys";

import type { WakeUpFacts } from "../driver-facts.ts";
import type { QuickWakeChoice } from "../quick-wake-choice.ts";
import { planQuickWake, type QuickWakePlan } from "./plan-quick-wake.ts";
import { LOOK_MS, RequestBursts } from "./request-bursts.ts";

/** What the kernel is asked through; the tests have another one. */
export type LatencyRequest = Pick<CpuLatencyRequest, "set" | keyof Disposable>;

export class QuickWake implements Disposable {
  readonly #plan: QuickWakePlan | undefined;
  readonly #bursts: RequestBursts;
  readonly #nowMs: () => number;
  #request: LatencyRequest | undefined;
  #obstacle: string | null = null;
  #timer: NodeJS.Timeout | undefined;
  #sinceMs = 0;
  #times = 0;
  #totalMs = 0;

  /**
   * @param plan what to ask for, or why nothing is
   * @param open throws where it may not be asked
   * @param nowMs a clock that never goes back
   */
  constructor(plan: QuickWakePlan | string, open: () => LatencyRequest, nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#bursts = new RequestBursts({ isBounded: typeof plan !== "string" && plan.isBounded });
    if (typeof plan === "string") {
      this.#obstacle = plan;
      return;
    }
    this.#plan = plan;
    try {
      this.#request = open();
    } catch (error) {
      this.#obstacle = messageOf(error);
    }
  }

  /** So many requests were answered, one after the other, up to now. */
  note(requests: number): void {
    if (this.#request === undefined) return;
    const nowMs = this.#nowMs();
    const isBurst = this.#bursts.note(requests, nowMs);
    if (isBurst && this.#timer === undefined) this.#hold(nowMs);
  }

  facts(): WakeUpFacts {
    const heldMs = this.#timer === undefined ? 0 : this.#nowMs() - this.#sinceMs;
    return {
      limitUs: this.#obstacle === null ? this.#plan!.limitUs : null,
      obstacle: this.#obstacle,
      isHeld: this.#timer !== undefined,
      times: this.#times,
      totalMs: Math.round(this.#totalMs + heldMs),
    };
  }

  [Symbol.dispose](): void {
    if (this.#timer !== undefined) this.#release();
    this.#request?.[Symbol.dispose]();
    this.#request = undefined;
  }

  #hold(nowMs: number): void {
    this.#sinceMs = nowMs;
    this.#times += 1;
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
    this.#ask(this.#plan!.limitUs);
  }

  #look(): void {
    if (!this.#bursts.look(this.#nowMs())) this.#release();
  }

  #release(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#totalMs += this.#nowMs() - this.#sinceMs;
    this.#ask(null);
  }

  #ask(limitUs: number | null): void {
    try {
      this.#request?.set(limitUs);
    } catch (error) {
      // Closing takes back what it may still ask for; and nothing is asked any more.
      this.#obstacle = messageOf(error);
      this.#request?.[Symbol.dispose]();
      this.#request = undefined;
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }
}

/** As this machine permits it. */
export function quickWakeHere(choice: QuickWakeChoice): QuickWake {
  const machine = { idleDriver: idleDriver(), cores: availableParallelism() };
  const plan = planQuickWake(choice, machine);
  return new QuickWake(
    plan,
    () => new CpuLatencyRequest(),
    () => performance.now(),
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

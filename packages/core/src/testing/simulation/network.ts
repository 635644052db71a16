import type { Random } from "./random.ts";

/** Brings one message to where it goes; it may bring an answer on its way. */
export type Message = () => Promise<void>;

/** Messages on their way: they arrive at once or late, in any order, twice, or never. */
export class Network {
  #inFlight: Message[] = [];
  lost = 0;
  repeated = 0;

  /** @returns false where the message was lost */
  async send(message: Message, random: Random): Promise<boolean> {
    if (random.chance(0.12)) {
      this.lost += 1;
      return false;
    }
    if (random.chance(0.12)) {
      this.repeated += 1;
      this.#inFlight.push(message);
    }
    if (random.chance(0.65)) await message();
    else this.#inFlight.push(message);
    return true;
  }

  /** Brings one of the messages that are late. */
  async deliver(random: Random): Promise<void> {
    if (this.#inFlight.length === 0) return;
    const [message] = this.#inFlight.splice(random.below(this.#inFlight.length), 1);
    if (random.chance(0.1)) this.#inFlight.push(message!);
    await message!();
  }

  /** All that is on its way is lost. */
  clear(): void {
    this.#inFlight = [];
  }
}

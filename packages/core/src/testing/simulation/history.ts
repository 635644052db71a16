/**
 * One random history of a server and three clients (design §10), with a network that loses, repeats and
 * delays, clients that are cloned and a server that is restored; then the network heals, all settle,
 * and promises 3 to 5 are checked. The same seed replays exactly.
 */

import type { Sha256 } from "../../kml/identity.ts";
import { NO_CHECK } from "../../kml/record.ts";
import type { StateReader } from "../../replay/state.ts";
import type { Mutation } from "./mutation.ts";
import { Oracle } from "./oracle.ts";
import { Random } from "./random.ts";
import { SimulatedClient } from "./simulated-client.ts";
import {
  SimulatedServer,
  type Backup,
  type PollReply,
  type PushReply,
} from "./simulated-server.ts";
import { placesOf, Workload } from "./workload.ts";

export interface HistoryOptions {
  readonly seed: number;
  readonly clients?: number;
  readonly steps?: number;
  readonly mutation?: Mutation;
}

/** How a history ended: no violations, or each in a sentence, with the story that led there. */
export interface HistoryResult {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly story: readonly string[];
  readonly records: number;
}

const MOST_RECORDS_A_POLL = 7;
const MOST_ROUNDS_TO_SETTLE = 60;

/** Runs the history of a seed. */
export function runHistory(options: HistoryOptions): HistoryResult {
  return new History(options).run();
}

class History {
  readonly #seed: number;
  readonly #steps: number;
  readonly #random: Random;
  readonly #server: SimulatedServer;
  readonly #clients: SimulatedClient[];
  readonly #oracle = new Oracle();
  readonly #workload: Workload;
  readonly #story: string[] = [];
  readonly #violations: string[] = [];
  /** Answers under way: delivered late, in any order, twice, or never. */
  #inFlight: (() => void)[] = [];
  #backup: Backup | null = null;
  #mayDiverge = false;

  constructor({ seed, clients = 3, steps = 90, mutation }: HistoryOptions) {
    this.#seed = seed;
    this.#steps = steps;
    this.#random = new Random(seed);
    this.#server = new SimulatedServer(mutation ?? null);
    this.#clients = Array.from(
      { length: clients },
      (_, index) => new SimulatedClient(`client${index + 1}`, this.#random, mutation ?? null),
    );
    this.#workload = new Workload(this.#random, this.#oracle);
  }

  run(): HistoryResult {
    try {
      for (let step = 0; step < this.#steps; step += 1) this.#step(step);
      this.#settle();
      this.#check();
    } catch (error) {
      this.#violations.push(`it stops: ${error instanceof Error ? error.stack : String(error)}`);
    }
    return {
      seed: this.#seed,
      violations: this.#violations,
      story: this.#story,
      records: this.#server.headRecno,
    };
  }

  #step(step: number): void {
    const client = this.#random.pick(this.#clients);
    const choice = this.#random.below(100);
    if (choice < 50) this.#tell(this.#workload.step(client));
    else if (choice < 65) this.#push(client);
    else if (choice < 80) this.#poll(client);
    else if (choice < 97) this.#deliver();
    else this.#disturb(client, step);
  }

  #tell(sentence: string | null): void {
    if (sentence !== null) this.#story.push(sentence);
  }

  #push(client: SimulatedClient): void {
    const push = client.preparePush();
    if (push === null || this.#random.chance(0.15)) return;
    const deliver = (): void => {
      const reply: PushReply = this.#server.push(push);
      this.#tell(`${client.name} pushes ${push.records.length}: ${reply.kind}`);
      if (this.#random.chance(0.2)) return;
      this.#inFlight.push(() => {
        client.takePushReply(push, reply);
      });
    };
    if (this.#random.chance(0.15)) this.#inFlight.push(deliver);
    if (this.#random.chance(0.7)) deliver();
    else this.#inFlight.push(deliver);
  }

  #poll(client: SimulatedClient): void {
    const reply: PollReply = this.#server.poll(client.position, MOST_RECORDS_A_POLL);
    const { position } = client;
    const deliver = (): void => {
      // An answer to a question from another position belongs to a connection that is gone.
      if (client.position.serial !== position.serial || client.position.recno !== position.recno)
        return;
      this.#tell(
        `${client.name} pulls ${reply.kind === "records" ? reply.records.length : reply.kind}`,
      );
      if (reply.kind === "log-diverged" && this.#server.knows(client.position)) return;
      client.takePollReply(reply, this.#server);
    };
    if (this.#random.chance(0.5)) deliver();
    else if (this.#random.chance(0.8)) this.#inFlight.push(deliver);
  }

  #deliver(): void {
    if (this.#inFlight.length === 0) return;
    const [message] = this.#inFlight.splice(this.#random.below(this.#inFlight.length), 1);
    message?.();
    if (message !== undefined && this.#random.chance(0.1)) this.#inFlight.push(message);
  }

  #disturb(client: SimulatedClient, step: number): void {
    const choice = this.#random.below(6);
    if (choice === 0 && this.#clients.length < 4) {
      this.#clients.push(client.clone(`${client.name}-clone`));
      this.#mayDiverge = true;
      this.#tell(`${client.name} is cloned`);
    } else if (choice === 1 && this.#backup === null) {
      this.#backup = this.#server.backup();
      this.#tell(`the server is backed up at ${this.#server.headRecno}`);
    } else if (choice === 2 && this.#backup !== null && step > this.#steps / 2) {
      this.#server.restore(this.#backup);
      this.#backup = null;
      this.#mayDiverge = true;
      // A server that was down meanwhile has no connections from before.
      this.#inFlight = [];
      for (const each of this.#clients) each.reconnect();
      this.#tell(`the server is restored to ${this.#server.headRecno}`);
    }
  }

  #settle(): void {
    this.#inFlight = [];
    for (let round = 0; round < MOST_ROUNDS_TO_SETTLE; round += 1) {
      for (const client of this.#clients) {
        client.seal();
        const push = client.preparePush();
        if (push !== null) client.takePushReply(push, this.#server.push(push));
        this.#pullToHead(client);
      }
      if (this.#isSettled()) return;
    }
    const waiting = this.#clients.map(
      (client) => `${client.name} ${client.pendingCount} pending at ${client.recno}`,
    );
    this.#violations.push(
      `it does not settle: ${waiting.join(", ")}, server at ${this.#server.headRecno}`,
    );
  }

  #pullToHead(client: SimulatedClient): void {
    do {
      client.takePollReply(this.#server.poll(client.position, MOST_RECORDS_A_POLL), this.#server);
    } while (client.recno < this.#server.headRecno);
  }

  #isSettled(): boolean {
    return this.#clients.every(
      (client) => client.pendingCount === 0 && client.recno === this.#server.headRecno,
    );
  }

  #check(): void {
    const expected = describeTree(this.#server.state);
    for (const client of this.#clients) {
      const seen = describeTree(client.visible);
      if (seen !== expected)
        this.#violations.push(`${client.name} differs [promise 3]:\n${seen}\nserver:\n${expected}`);
      if (client.divergences > 0 && !this.#mayDiverge) {
        this.#violations.push(
          `${client.name} was told that it diverged, and nobody was cloned or restored`,
        );
      }
    }
    const contents = new Set<Sha256>();
    for (const { object } of placesOf(this.#server.state)) {
      if (object.sha256 === null) continue;
      if (!this.#server.hasContent(object.sha256) && object.sizeBytes > 0) {
        this.#violations.push(`the server has no content for ${object.sha256.slice(0, 8)}`);
      }
      contents.add(object.sha256);
    }
    for (const lost of this.#oracle.missing(contents))
      this.#violations.push(`lost silently [promise 4]: ${lost}`);
    this.#checkTraces();
  }

  #checkTraces(): void {
    const traces = new Set<string>();
    for (const { origin, recno } of this.#server.log) {
      if (origin.check === NO_CHECK) continue;
      const key = `${origin.peer}/${origin.recno}`;
      if (traces.has(key))
        this.#violations.push(`record ${recno} is a second trace of ${key} [promise 5]`);
      traces.add(key);
    }
  }
}

function describeTree(state: StateReader): string {
  const paths = new Map<string, string>();
  return placesOf(state)
    .map(({ entry, object }) => {
      const path = `${paths.get(entry.parent) ?? ""}/${entry.name}`;
      paths.set(object.oid, path);
      return `${path} ${object.kind} ${object.oid.slice(0, 8)} ${object.mode.toString(8)} ${object.sha256?.slice(0, 8) ?? "-"} ${JSON.stringify(entry.version)}`;
    })
    .join("\n");
}

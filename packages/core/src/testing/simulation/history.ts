/**
 * One random history of a server and its clients (design §10): the steps of a plan, then the network heals,
 * all machines run, everything settles, and promises 2 to 5 are checked. The same steps replay exactly.
 */

import { pathOf } from "../../replay/path-of.ts";
import {
  checkClient,
  checkNames,
  checkPromises,
  checkServer,
  checkWaiting,
} from "./check-promises.ts";
import { exchange } from "./exchange.ts";
import type { StopKind } from "./machine.ts";
import type { Mutation } from "./mutation.ts";
import { Network } from "./network.ts";
import { Oracle } from "./oracle.ts";
import { placesOf } from "./places.ts";
import type { Step, StepKind } from "./plan.ts";
import { Random } from "./random.ts";
import { programsOf } from "./server-programs.ts";
import { settle } from "./settle.ts";
import { SimulatedClient } from "./simulated-client.ts";
import { SimulatedServer, type Backup } from "./simulated-server.ts";
import { Tally } from "./tally.ts";
import { Workload, type Deed, type Host } from "./workload.ts";

export interface HistoryOptions {
  readonly steps: readonly Step[];
  readonly clients: number;
  readonly mutation?: Mutation;
}

/** How a history ended: no violations, or each in a sentence, with the story that led there. */
export interface HistoryResult {
  readonly violations: readonly string[];
  readonly story: readonly string[];
  readonly tally: Tally;
}

const MOST_CLIENTS_MORE = 1;
/** A machine that is to stop at a later call does so within this many. */
const MOST_CALLS_TO_STOP = 40;

/** Runs a history. */
export function runHistory(options: HistoryOptions): Promise<HistoryResult> {
  return new History(options).run();
}

class History {
  readonly #steps: readonly Step[];
  readonly #mutation: Mutation | null;
  readonly #server: SimulatedServer;
  readonly #clients: SimulatedClient[];
  readonly #mostClients: number;
  readonly #network = new Network();
  readonly #oracle = new Oracle();
  readonly #story: string[] = [];
  readonly #tally = new Tally();
  readonly #violations: string[] = [];
  #backup: Backup | null = null;
  #isRestored = false;
  /** Somebody was cloned or restored: clients may be told that they diverged. */
  #mayDiverge = false;
  /** How many stops of a client were noted. */
  readonly #notedStops = new Map<SimulatedClient, number>();
  /** Its stop was told already. */
  #isServerDown = false;

  constructor({ steps, clients, mutation }: HistoryOptions) {
    this.#steps = steps;
    this.#mutation = mutation ?? null;
    this.#mostClients = clients + MOST_CLIENTS_MORE;
    this.#server = new SimulatedServer(this.#mutation);
    const random = new Random(clients);
    this.#clients = Array.from({ length: clients }, (_, index) =>
      SimulatedClient.make(`client ${index + 1}`, random, this.#mutation),
    );
  }

  async run(): Promise<HistoryResult> {
    try {
      const start = new Random(0);
      await this.#server.start(start);
      for (const client of this.#clients) await client.start(start);
      for (const step of this.#steps) {
        await this.#do(step);
        if (this.#violations.length > 0) break;
      }
      if (this.#violations.length === 0) await this.#end();
    } catch (error) {
      this.#violations.push(`it stops: ${error instanceof Error ? error.stack : String(error)}`);
    }
    this.#tally.addOutcomes(this.#server.ledger.history);
    return { violations: this.#violations, story: this.#story, tally: this.#tally };
  }

  async #end(): Promise<void> {
    this.#network.clear();
    const problem = await settle(this.#server, this.#clients);
    if (problem === null)
      this.#violations.push(...checkPromises(this.#server, this.#clients, this.#oracle));
    else this.#violations.push(problem);
    for (const { name, divergences } of this.#clients) {
      if (divergences > 0 && !this.#mayDiverge)
        this.#violations.push(
          `${name} was told that it diverged, and nobody was cloned or restored [promise 5]`,
        );
    }
    this.#tally.add("messages lost", this.#network.lost);
    this.#tally.add("messages repeated", this.#network.repeated);
  }

  async #do(step: Step): Promise<void> {
    const random = new Random(step.seed);
    const client = this.#clients[step.host % this.#clients.length]!;
    const stops = this.#countStops();
    try {
      await this.#act(step.kind, client, random);
    } catch (error) {
      // What a machine did when it stopped came to nothing; everything else is an error.
      if (this.#countStops() === stops) throw error;
    }
    this.#noteStops(random);
  }

  async #act(kind: StepKind, client: SimulatedClient, random: Random): Promise<void> {
    switch (kind) {
      case "program":
        if (await this.#isUp(client, random)) await this.#program(client, random);
        return;
      case "program on the server":
        if (await this.#isServerUp(random)) await this.#program(programsOf(this.#server), random);
        return;
      case "fsync":
        if (await this.#isUp(client, random)) await this.#fsync(client, random);
        return;
      case "sync":
        if (!(await this.#isUp(client, random))) return;
        if (random.chance(0.5)) client.seal();
        await client.syncLog();
        return;
      case "exchange":
        if (await this.#isUp(client, random)) await this.#exchange(client, random);
        return;
      case "deliver":
        if (await this.#isServerUp(random)) await this.#network.deliver(random);
        return;
      case "disconnect":
        if (client.isUp) client.disconnect();
        return;
      case "cut":
        client.isCut = true;
        if (client.isUp) client.disconnect();
        this.#tell(`${client.name} is cut off`, "cuts");
        return;
      case "heal":
        client.isCut = false;
        this.#tell(`${client.name} reaches the server again`);
        return;
      case "kill client":
      case "kill server":
        stop(kind === "kill client" ? client : this.#server, "kill", random);
        return;
      case "power cut of client":
      case "power cut of server":
        stop(kind === "power cut of client" ? client : this.#server, "power cut", random);
        return;
      case "clock": {
        const byNs = BigInt(Math.floor((random.next() - 0.5) * 2 ** 50));
        (random.chance(0.3) ? this.#server : client).jumpClock(byNs);
        return;
      }
      case "clone":
        if (this.#clients.length < this.#mostClients) this.#clone(client, random);
        return;
      case "back up":
        if (this.#backup !== null || this.#isRestored || !(await this.#isServerUp(random))) return;
        this.#backup = this.#server.backup();
        this.#tell(`the server is backed up at ${this.#server.headRecno}`);
        return;
      case "restore":
        if (this.#backup !== null) await this.#restore(this.#backup, random);
        return;
      case "truncate": {
        if (!(await this.#isServerUp(random))) return;
        const oldest = await this.#server.truncate(random.below(20));
        this.#tell(`the server's log begins with ${oldest} now`, "truncations");
        return;
      }
      case "checkpoint":
        if (random.chance(0.3) && this.#server.machine.stopped === null) this.#server.checkpoint();
        else if (client.isUp) client.checkpoint();
    }
  }

  /** A machine that is down is started sooner or later. */
  async #isUp(client: SimulatedClient, random: Random): Promise<boolean> {
    if (client.isUp) return true;
    if (random.chance(0.5)) return false;
    await client.start(random);
    this.#tell(`${client.name} starts again`);
    this.#violations.push(...checkClient(client));
    return true;
  }

  async #isServerUp(random: Random): Promise<boolean> {
    if (this.#server.machine.stopped === null) return true;
    if (random.chance(0.5)) return false;
    await this.#server.start(random);
    this.#tell(`the server starts again at ${this.#server.headRecno}`);
    this.#violations.push(...checkServer(this.#server));
    return true;
  }

  async #program(host: Host, random: Random): Promise<void> {
    const deed: Deed | null = await new Workload(host, random, this.#oracle).run();
    if (deed !== null) this.#tell(deed.sentence, `operation: ${deed.kind}`);
  }

  async #fsync(client: SimulatedClient, random: Random): Promise<void> {
    const files = placesOf(client.visible).filter(({ object }) => object.kind === "file");
    if (files.length === 0) return;
    const { entry, object } = random.pick(files);
    const content = client.contentOf(object);
    if (content === null) return;
    await client.fsync(content);
    this.#tell(`${client.name} syncs ${pathOf(client.visible, entry.parent, entry.name)}`);
  }

  async #exchange(client: SimulatedClient, random: Random): Promise<void> {
    if (client.isCut || !(await this.#isServerUp(random))) {
      client.disconnect();
      return;
    }
    if (random.chance(0.6)) client.seal();
    const before = client.state;
    let isLost = false;
    await exchange(client, this.#server, random, async (message) => {
      if (!(await this.#network.send(message, random))) isLost = true;
    });
    if (isLost && random.chance(0.5)) client.disconnect();
    const what = before === client.state ? "" : ` (${before}, then ${client.state})`;
    this.#tell(`${client.name} talks to the server: at ${client.position.recno}${what}`);
    this.#violations.push(...checkWaiting(client), ...checkNames(client));
    if (random.chance(0.04)) this.#violations.push(...checkClient(client));
  }

  #clone(client: SimulatedClient, random: Random): void {
    if (!client.isUp) return;
    const clone = client.clone(`a clone of ${client.name}`, random);
    clone.machine.stopNow("kill");
    this.#clients.push(clone);
    this.#mayDiverge = true;
    this.#tell(`${client.name} is cloned`, "clones");
  }

  async #restore(backup: Backup, random: Random): Promise<void> {
    for (const content of this.#server.contentsSince(backup)) {
      if (!this.#clients.some((client) => client.holds(content))) this.#oracle.lose(content);
    }
    await this.#server.restore(backup, random);
    this.#backup = null;
    this.#isRestored = true;
    this.#mayDiverge = true;
    // A server that was down meanwhile has no connections from before.
    this.#network.clear();
    for (const client of this.#clients) if (client.isUp) client.disconnect();
    this.#tell(`the server is restored to ${this.#server.headRecno}`, "restores");
  }

  #countStops(): number {
    return this.#clients.reduce(
      (sum, { machine }) => sum + machine.stops,
      this.#server.machine.stops,
    );
  }

  #noteStops(random: Random): void {
    for (const client of this.#clients) {
      const { stopped, stops } = client.machine;
      if (stopped === null || this.#notedStops.get(client) === stops) continue;
      this.#notedStops.set(client, stops);
      for (const content of client.noteStop(random)) this.#oracle.lose(content);
      this.#tell(`${client.name} stops: ${stopped}`, `client stops: ${stopped}`);
    }
    const { stopped } = this.#server.machine;
    const wasDown = this.#isServerDown;
    this.#isServerDown = stopped !== null;
    if (stopped === null || wasDown) return;
    for (const client of this.#clients) if (client.isUp) client.disconnect();
    this.#tell(`the server stops: ${stopped}`, `server stops: ${stopped}`);
  }

  #tell(sentence: string, counted?: string): void {
    this.#story.push(sentence);
    if (counted !== undefined) this.#tally.add(counted);
  }
}

/** Stops a machine, at once or in the middle of something that it does later. */
function stop(
  { machine }: SimulatedClient | SimulatedServer,
  kind: StopKind,
  random: Random,
): void {
  if (random.chance(0.3)) machine.stopNow(kind);
  else machine.stopAfter(1 + random.below(MOST_CALLS_TO_STOP), kind, random.below(300));
}

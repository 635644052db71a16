import { exchange } from "./exchange.ts";
import { Random } from "./random.ts";
import type { SimulatedClient } from "./simulated-client.ts";
import type { SimulatedServer } from "./simulated-server.ts";

const MOST_ROUNDS = 1000;

/** Lets all machines run and talk until nothing is left to do; says what it is that does not end. */
export async function settle(
  server: SimulatedServer,
  clients: readonly SimulatedClient[],
): Promise<string | null> {
  const random = new Random(1);
  server.machine.disarm();
  if (server.machine.stopped !== null) await server.start(random);
  for (const client of clients) {
    client.machine.disarm();
    client.isCut = false;
    if (client.isUp) client.disconnect();
    else await client.start(random);
  }
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    for (const client of clients) {
      client.seal();
      await exchange(client, server, random, (message) => message());
    }
    if (isSettled(server, clients)) return null;
  }
  const waiting = clients.map(
    (client) =>
      `${client.name} ${client.state} with ${client.pendingCount} pending at ${client.position.recno}`,
  );
  return `it does not settle: ${waiting.join(", ")}, server at ${server.headRecno}`;
}

function isSettled(server: SimulatedServer, clients: readonly SimulatedClient[]): boolean {
  return clients.every(
    (client) => client.pendingCount === 0 && client.position.recno === server.headRecno,
  );
}

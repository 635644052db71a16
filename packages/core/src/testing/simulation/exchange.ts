import type { Message } from "./network.ts";
import type { Random } from "./random.ts";
import type { Request, SimulatedClient } from "./simulated-client.ts";
import type { SimulatedServer } from "./simulated-server.ts";

/**
 * What a client's InterSync does next, as the state of its connection says.
 *
 * @param send carries a message, or loses it
 */
export async function exchange(
  client: SimulatedClient,
  server: SimulatedServer,
  random: Random,
  send: (message: Message) => Promise<unknown>,
): Promise<void> {
  switch (client.state) {
    case "offline":
    case "refused":
      client.connect();
      return;
    case "bootstrapping":
    case "expired":
      client.receiveTree(server);
      return;
    case "diverged":
      if (client.divergence === "log") await client.salvage(server, random);
      else await client.renew(server, random);
      return;
    case "polling":
    case "pushing": {
      const request = await client.nextRequest(random.chance(0.5));
      if (request !== null) await send(() => answer(client, server, request, send));
    }
  }
}

async function answer(
  client: SimulatedClient,
  server: SimulatedServer,
  request: Request,
  send: (message: Message) => Promise<unknown>,
): Promise<void> {
  if (request.kind === "poll") {
    const reply = server.poll(request.after, request.limit);
    await send(() => client.takePoll(request, reply, server));
  } else {
    const reply = await server.push(request.push);
    await send(async () => client.takePush(request, reply));
  }
}

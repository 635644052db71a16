/**
 * Many clients of one server that do nothing but wait for its records, as mounts do, in one process.
 *
 * Run as a program inside a host: `followers.ts URL COUNT`. Prints a line once all of them have asked, and
 * goes on until it is killed.
 */
import { Agent, get, type IncomingMessage } from "node:http";
import { buffer } from "node:stream/consumers";

import { HEADERS, PROTOCOL_VERSION } from "@izo/core";

interface Follower {
  readonly fileset: URL;
  readonly agent: Agent;
  readonly peer: string;
}

function ask({ fileset, agent, peer }: Follower, path: string): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const headers = {
    [HEADERS.protocol]: String(PROTOCOL_VERSION),
    [HEADERS.peer]: `${peer} follower`,
  };
  get(new URL(path, fileset), { agent, headers }, resolve).once("error", reject);
  return promise;
}

/** Asks for what comes behind `position`, takes it, and asks again. */
async function follow(follower: Follower, position: string): Promise<never> {
  for (let after = position; ;) {
    // oxlint-disable-next-line no-await-in-loop -- each poll goes on from the one before
    const response = await ask(follower, `kml?after=${after}&wait=50`);
    // oxlint-disable-next-line no-await-in-loop
    await buffer(response);
    const head = response.headers[HEADERS.head.toLowerCase()];
    if (response.statusCode !== 200 || typeof head !== "string")
      throw new Error(`Cannot follow: the server answers ${response.statusCode}`);
    after = head;
  }
}

if (process.argv[1] === import.meta.filename) {
  const [, , url = "", count] = process.argv;
  const { pathname } = new URL(url);
  const fileset = new URL(`/v1/filesets/${pathname.slice(1)}/`, url);
  const agent = new Agent({ keepAlive: true });
  const first = { fileset, agent, peer: "f".repeat(32) };
  const profile = JSON.parse(String(await buffer(await ask(first, "profile")))) as { head: string };
  const following = Array.from({ length: Number(count) }, (_, number) =>
    follow({ fileset, agent, peer: number.toString(16).padStart(32, "f") }, profile.head),
  );
  setTimeout(() => console.log("following"), 1000);
  await Promise.all(following);
}

import { ROOT_OID, type Oid, type Sha256 } from "../../kml/identity.ts";
import { NO_CHECK } from "../../kml/record.ts";
import { resolveOid } from "../../reintegrate/resolve.ts";
import { MemoryState } from "../../replay/memory-state.ts";
import { objectPath } from "../../replay/path-of.ts";
import { replay } from "../../replay/replay.ts";
import type { StateReader } from "../../replay/state.ts";
import type { Oracle } from "./oracle.ts";
import { describeLooks, describeTree, placesOf } from "./places.ts";
import type { SimulatedClient } from "./simulated-client.ts";
import type { SimulatedServer } from "./simulated-server.ts";

/** Checks promises 3 to 5 where nothing is under way any more; each violation is a sentence. */
export function checkPromises(
  server: SimulatedServer,
  clients: readonly SimulatedClient[],
  oracle: Oracle,
): string[] {
  return [
    ...checkServer(server),
    ...checkEqualTrees(server, clients),
    ...checkContents(server, oracle),
    ...checkTraces(server),
  ];
}

/** Tree = index = replay of the log (promise 2). */
export function checkServer(server: SimulatedServer): string[] {
  const { ledger, state } = server;
  const violations: string[] = [];
  const index = describeTree(state);
  const replayed = new MemoryState();
  let recno = 0;
  for (const record of ledger.history)
    recno = replay(record, replayed, recno as typeof record.recno);
  if (describeTree(replayed) !== index)
    violations.push(`the index is not what the log says [promise 2]:\n${index}`);
  if (describeTree(ledger.exported) !== index)
    violations.push(
      `the exported tree is not what the log says [promise 2]:\n${describeTree(ledger.exported)}\nindex:\n${index}`,
    );
  return violations;
}

/** What a running client shows with its next pull is what it would show after a restart (promise 2). */
export function checkClient(client: SimulatedClient): string[] {
  client.replica.rebase();
  const shown = describeLooks(client.visible);
  const readBack = describeLooks(client.replica.readBack().replica.visible);
  if (shown === readBack) return [];
  return [
    `${client.name} shows what it would not show after a restart [promise 2]:\n${shown}\nread back:\n${readBack}`,
  ];
}

/**
 * A cache keeps the content of a file that waits for the server under the file's name: one that stands in a
 * directory that is shown as removed would go with it (promise 4).
 */
export function checkWaiting({ name, visible, replica }: SimulatedClient): string[] {
  const { unsent, frozen } = replica.pending;
  return [...unsent, ...frozen.map(({ submitted }) => submitted)].flatMap(({ operation }) => {
    if (operation.opcode !== "CLOSE") return [];
    const oid = resolveOid(operation.oid, visible);
    if (visible.object(oid) === undefined || !isBuried(visible, oid)) return [];
    const path = objectPath(visible, oid);
    return [`${name} has written ${operation.path} and shows it nowhere, at ${path} [promise 4]`];
  });
}

/**
 * A name that leads to nothing is not there for programs, and nobody shows it when its object comes back; an object
 * to which no name leads is found by nobody, and what waits of it stays (promise 3).
 */
export function checkNames({ name, visible, replica }: SimulatedClient): string[] {
  const places = placesOf(visible);
  const found = Map.groupBy(places, ({ object }) => object.oid);
  const directories = [ROOT_OID, ...found.keys()];
  const empty = directories
    .flatMap((directory) => [...visible.children(directory)])
    .filter(({ oid }) => visible.object(oid) === undefined)
    .map((entry) => `${name} shows ${entry.name}, which leads to nothing [promise 3]`);
  const known = new Set(Array.from(replica.authoritative.objects(), ({ oid }) => oid));
  const astray = [...known.union(new Set(replica.replica.touchedObjects()))].flatMap((oid) => {
    if (oid === ROOT_OID || visible.object(oid) === undefined || isToCome(visible, oid)) return [];
    const [shown, said] = [found.get(oid)?.length ?? 0, visible.links(oid).length];
    const names = `${name} shows ${shown} names of ${oid}, and says that it has ${said}`;
    return shown > 0 && shown === said ? [] : [`${names} [promise 3]`];
  });
  return [...empty, ...astray];
}

/** Tells whether all names of an object are below directories that are removed; one that is not known yet is not. */
function isBuried(state: StateReader, oid: Oid): boolean {
  if (oid === ROOT_OID) return false;
  if (state.object(oid) === undefined) return state.tombstone(oid) !== undefined;
  const links = state.links(oid);
  return links.length > 0 && links.every(({ parent }) => isBuried(state, parent));
}

/** Tells whether an object stands in a directory that the tree is yet to have: a power cut took it back further than the own log. */
function isToCome(state: StateReader, oid: Oid): boolean {
  if (oid === ROOT_OID) return false;
  if (state.object(oid) === undefined) return state.tombstone(oid) === undefined;
  return state.links(oid).some(({ parent }) => isToCome(state, parent));
}

function checkEqualTrees(server: SimulatedServer, clients: readonly SimulatedClient[]): string[] {
  const expected = describeTree(server.state);
  return clients
    .map((client) => ({ name: client.name, seen: describeTree(client.visible) }))
    .filter(({ seen }) => seen !== expected)
    .map(({ name, seen }) => `${name} differs [promise 3]:\n${seen}\nserver:\n${expected}`);
}

function checkContents(server: SimulatedServer, oracle: Oracle): string[] {
  const violations: string[] = [];
  const contents = new Set<Sha256>();
  for (const { object } of placesOf(server.state)) {
    const { sha256 } = object;
    if (sha256 === null) continue;
    if (!server.hasContent(sha256))
      violations.push(`the server has no content for ${sha256.slice(0, 8)} [promise 1]`);
    contents.add(sha256);
  }
  for (const lost of oracle.missing(contents))
    violations.push(`lost silently [promise 4]: ${lost}`);
  return violations;
}

function checkTraces(server: SimulatedServer): string[] {
  const violations: string[] = [];
  const traces = new Set<string>();
  for (const { origin, recno } of server.ledger.history) {
    if (origin.check === NO_CHECK) continue;
    const key = `${origin.peer}/${origin.recno}`;
    if (traces.has(key)) violations.push(`record ${recno} is a second trace of ${key} [promise 5]`);
    traces.add(key);
  }
  return violations;
}

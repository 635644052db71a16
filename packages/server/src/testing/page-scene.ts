import { once } from "node:events";
/**
 * A fileset as a small team has one, for the pages to show: a day of work by four machines, one of which
 * is far away, names that try to be markup, and two people who edited the same lines.
 */
import { mkdir, writeFile } from "node:fs/promises";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { createAdaptorServer } from "@hono/node-server";
import { type ClientOperation, type Name, type Recno } from "@izo/core";

import type { Export } from "../export/export.ts";
import { createApp } from "../routes/app.ts";
import { openTestExport, temporaryDirectory } from "./temporary-export.ts";
import { closeFile, createFile, makeDirectory, TestPeer } from "./test-peer.ts";

const HOUR_MS = 3_600_000;

export interface PageScene extends AsyncDisposable {
  readonly fileset: Export;
  readonly origin: string;
  /** A machine of the scene that goes on working. */
  readonly laptop: TestPeer;
}

/** Text that does something where a page does not escape it. */
export const HOSTILE_NAME = `<img src=x onerror="document.title='owned'">`;

const PLAN = `# Plan for the harvest

1. Sharpen the blades before Monday.
2. Ask Ines for the second press.
3. The cellar stays at 14 °C.
4. Labels: cream paper, green ink.
5. Bottle on the 12th.
`;

/** Files that were there before anybody mounted it. */
const FILES: Readonly<Record<string, string>> = {
  "README.md": "# Orchard\n\nEverything about the season.\n",
  "plan.md": PLAN,
  "notes/tasting.md": "Dry, late, good.\n",
  "notes/weather.csv": "day,mm,max\n1,0,21\n2,4,19\n3,0,22\n",
  "labels/front.svg": "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>\n",
  "scripts/press.py": "def press(kilos):\n    return kilos * 0.62\n",
};

export async function openPageScene(): Promise<PageScene> {
  await using stack = new AsyncDisposableStack();
  const { dir } = stack.use(await temporaryDirectory());
  for (const [path, text] of Object.entries(FILES)) {
    await mkdir(join(dir, path, ".."), { recursive: true });
    await writeFile(join(dir, path), text);
  }
  await writeFile(Buffer.from(`${dir}/notes/caf\xe9.txt`, "latin1"), "not UTF-8\n");
  await writeFile(join(dir, HOSTILE_NAME), "harmless\n");
  await writeFile(join(dir, "bottles.bin"), Buffer.alloc(300_000, 7));
  await writeFile(join(dir, "evil.html"), "<script>document.title='owned'</script>\n");

  let hoursAgo = 23.5;
  const nowNs = (): bigint => BigInt(Date.now() - Math.round(hoursAgo * HOUR_MS)) * 1_000_000n;
  const fileset = stack.use(await openTestExport(dir, { nowNs, filesetName: "orchard" }));
  const laptop = new TestPeer(fileset, { host: "laptop", uid: 1000, command: "nvim", nowNs });
  const office = new TestPeer(fileset, { host: "office", uid: 1001, command: "code", nowNs });
  const runner = new TestPeer(fileset, { host: "ci-runner", uid: 990, command: "make", nowNs });
  const tablet = new TestPeer(fileset, { host: "tablet" });
  const seen = (peer: TestPeer, host: string): void =>
    fileset.notePeer(peer.peer, host, fileset.headPosition.recno);

  const build = makeDirectory("build");
  await office.push(build);
  for (const [step, count] of DAY.entries()) {
    hoursAgo = 23 - (step * 20) / DAY.length;
    for (let index = 0; index < count; index += 1) {
      await runner.push(createFile(`run-${step}-${index}.log`, undefined, build.oid));
    }
    seen(runner, "ci-runner");
    if (step === 20) seen(tablet, "tablet");
  }
  hoursAgo = 2.4;
  await edit(
    fileset,
    laptop,
    "/scripts/press.py",
    "def press(kilos, loss=0.38):\n    return kilos * (1 - loss)\n",
  );
  hoursAgo = 1.2;
  await edit(fileset, office, "/notes/tasting.md", "Dry, late, very good. More of it.\n");
  await rename(fileset, office, "/notes/weather.csv", "weather-2026.csv");
  seen(laptop, "laptop");
  hoursAgo = 0.3;
  await conflict(fileset, office, laptop);
  seen(office, "office");
  hoursAgo = 0.05;
  await laptop.push(createFile("shopping.txt"));
  seen(runner, "ci-runner");
  hoursAgo = 0.02;
  await edit(
    fileset,
    office,
    "/README.md",
    "# Orchard\n\nEverything about the season, and the next.\n",
  );
  hoursAgo = 0;
  seen(office, "office");
  fileset.notePeer(laptop.peer, "laptop", (fileset.headPosition.recno - 2) as Recno);

  const app = createApp({ filesets: [fileset] });
  const http = createAdaptorServer({ fetch: (request) => app.fetch(request) }) as Server;
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  stack.defer(async () => {
    http.closeAllConnections();
    http.close();
    await once(http, "close");
  });
  const { port } = http.address() as AddressInfo;
  const held = stack.move();
  return {
    fileset,
    laptop,
    origin: `http://127.0.0.1:${port}`,
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** Records of each of the steps of a day: night, a nightly job, and people who get up. */
const DAY = [2, 1, 0, 0, 9, 14, 3, 0, 0, 0, 0, 0, 1, 2, 4, 7, 9, 6, 8, 3, 2, 6, 9, 5, 4, 6, 2, 3];

/** Somebody saves a file of the tree with another text. */
export async function edit(
  fileset: Export,
  peer: TestPeer,
  path: string,
  text: string,
): Promise<void> {
  const { oid, contentVersion } = fileset.lookUp(path)!.object;
  await peer.stage(text);
  await peer.push({ ...closeFile(oid, text, contentVersion, path), ...now(peer) });
}

async function rename(
  fileset: Export,
  peer: TestPeer,
  path: string,
  toName: string,
): Promise<void> {
  const slash = path.lastIndexOf("/");
  const { object: directory, children } = fileset.lookUp(path.slice(0, slash) || "/")!;
  const { entry, object } = children.find((child) => child.entry.name === path.slice(slash + 1))!;
  const operation: ClientOperation = {
    opcode: "RENAME",
    oid: entry.oid,
    contentBase: object.contentVersion,
    fromParent: directory.oid,
    fromName: entry.name,
    fromPath: path,
    fromBase: entry.version,
    toParent: directory.oid,
    toName: toName as Name,
    toPath: `${path.slice(0, slash)}/${toName}`,
    victim: null,
    keepsOid: false,
    conflict: null,
  };
  await peer.push(operation);
}

/** The time of the scene in the place of a test's fixed one. */
function now(peer: TestPeer): { readonly mtimeNs: bigint } {
  return { mtimeNs: peer.nowNs() };
}

/** Two edits of the same version of the plan. */
async function conflict(fileset: Export, first: TestPeer, second: TestPeer): Promise<void> {
  const { oid, contentVersion } = fileset.lookUp("/plan.md")!.object;
  const ours = PLAN.replace("14 °C", "13 °C").replace("the 12th", "the 14th, not before");
  const theirs = PLAN.replace("14 °C", "15 °C, Ines says").concat("6. Sell the old barrels.\n");
  for (const [peer, text] of [
    [first, ours],
    [second, theirs],
  ] as const) {
    await peer.stage(text);
    await peer.push({ ...closeFile(oid, text, contentVersion, "/plan.md"), ...now(peer) });
  }
}

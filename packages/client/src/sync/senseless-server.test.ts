import { createHash } from "node:crypto";

import {
  type FilesetId,
  formatPosition,
  HEADERS,
  type PeerId,
  type Position,
  ProblemError,
  problemOf,
  type Recno,
  ROOT_OID,
  type Sha256,
  type SnapshotRow,
  writeProblem,
  writeProfileResponse,
  writeSnapshotResponse,
  writeUploadProgress,
} from "@izo/core";
import { afterEach, expect, test } from "vitest";

import { type Answer, serveScript } from "../remote/testing/scripted-server.ts";
import { SyncHost } from "../testing/sync-host.ts";

const HEAD: Position = { recno: 1 as Recno, hash: "11".repeat(32) as Sha256 };
const PEER = "ab".repeat(16) as PeerId;
const CONTENT = "mine";
const SHA256 = createHash("sha256").update(CONTENT).digest("hex");

/** The test looks for so long. Without pauses there are more than a hundred requests in it, with them a handful. */
const WHILE_MS = 1_500;
const A_HANDFUL = 12;

let cleanup = new AsyncDisposableStack();
afterEach(async () => {
  await cleanup.disposeAsync();
  cleanup = new AsyncDisposableStack();
});

function profile(): string {
  return writeProfileResponse({
    protocol: 1,
    id: "cd".repeat(16) as FilesetId,
    name: "rootfset",
    serverPeer: PEER,
    head: HEAD,
    oldestRecno: HEAD.recno,
    limits: {
      inlineBytes: 65_536,
      pushRecords: 1_000,
      pushBytes: 4_000_000,
      pollRecords: 1_000,
      pollWaitSeconds: 55,
      packRecnos: 4_096,
    },
    conflictPolicies: [],
    heldRemovalPercent: 50,
    changesBelow: "/",
    features: [],
  });
}

function snapshot(): Buffer {
  const rows: SnapshotRow[] = [
    {
      kind: "start",
      position: HEAD,
      oldestRecno: HEAD.recno,
      received: { recno: 0 as Recno, check: "0".repeat(16) },
    },
    {
      kind: "object",
      object: {
        oid: ROOT_OID,
        kind: "directory",
        creator: PEER,
        mode: 0o040755,
        uid: 0,
        gid: 0,
        attributesVersion: HEAD.recno,
        sizeBytes: 0,
        mtimeNs: 1n,
        sha256: null,
        contentVersion: HEAD.recno,
        target: "",
        rdev: 0,
        xattrs: new Map(),
        conflict: null,
      },
    },
    { kind: "end", rows: 2 },
  ];
  return Buffer.concat(Array.from(writeSnapshotResponse(rows)));
}

interface Senseless {
  /** The first poll is about what there is; this answers those that wait. */
  readonly poll?: Answer;
  readonly push?: Answer;
}

/** A server that serves an empty tree, and answers what follows without sense. */
async function serve({ poll = wait, push = wait }: Senseless) {
  const asked = { polls: 0, pushes: 0 };
  const server = cleanup.use(
    await serveScript((request, response) => {
      const url = request.url ?? "";
      if (url.endsWith("/profile")) response.end(profile());
      else if (url.includes("/snapshot")) response.end(snapshot());
      else if (url.includes("/kml?") && url.includes("wait=0&") && poll === wait)
        empty(HEAD)(request, response);
      else if (url.includes("/kml?")) {
        asked.polls += 1;
        poll(request, response);
      } else if (url.endsWith("/reintegrate")) {
        asked.pushes += 1;
        push(request, response);
      } else {
        // Of each content it says that it has it.
        const progress = { offsetBytes: CONTENT.length, isComplete: true };
        response.writeHead(200, writeUploadProgress(progress)).end();
      }
    }),
  );
  const host = cleanup.use(await SyncHost.open(server.url));
  return { host, asked };
}

function wait(): void {}

function empty(head: Position): Answer {
  return (_, response) => {
    response.setHeader(HEADERS.head, formatPosition(head)).end();
  };
}

function refusal(code: ConstructorParameters<typeof ProblemError>[0], data = {}): Answer {
  const problem = problemOf(new ProblemError(code, "Cannot take it", data));
  return (request, response) => {
    request.resume().on("end", () => {
      response.writeHead(problem.status, { "Content-Type": "application/problem+json" });
      response.end(writeProblem(problem));
    });
  };
}

async function look(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, WHILE_MS));
}

test.each([
  { description: "has nothing to say, and says it at once", head: HEAD },
  {
    description: "says that there is more, and gives nothing",
    head: { recno: 9 as Recno, hash: "22".repeat(32) as Sha256 },
  },
])("[Y15] InterSync is patient with a server that $description", async ({ head }) => {
  const { host, asked } = await serve({ poll: empty(head) });
  await look();
  expect(host.sync.status().state).toBe("polling");
  expect(asked.polls).toBeGreaterThan(1);
  expect(asked.polls).toBeLessThan(A_HANDFUL);
});

test.each([
  {
    description: "misses contents that nobody has named",
    push: refusal("content-missing", { missing: [] }),
  },
  {
    description: "misses a content again and again that it has taken",
    push: refusal("content-missing", { missing: [SHA256] }),
  },
  { description: "says of each id that another has it", push: refusal("peer-diverged") },
  { description: "finds that a new file removes everything", push: refusal("mass-removal") },
])("[Y15] InterSync is patient with a server that $description", async ({ push }) => {
  const { host, asked } = await serve({ push });
  await host.write("/new", CONTENT);
  await look();
  expect(asked.pushes).toBeGreaterThan(1);
  expect(asked.pushes).toBeLessThan(A_HANDFUL);
  expect(asked.polls).toBeLessThan(A_HANDFUL);
  expect(host.replica.pendingCount).toBe(2);
});

/**
 * The real server in a process of its own, on loopback: the client's packages do not know the server's,
 * so its tests meet it over HTTP only.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import type { PolicyRule } from "@izo/core";
import { callControl } from "@izo/sys";

const SERVER_PACKAGE = fileURLToPath(new URL("../../../server/", import.meta.url));

const PROGRAM = `
  import { openExport } from "./src/export/open-export.ts";
  import { serveControl } from "./src/control/serve-control.ts";
  import { createApp } from "./src/routes/app.ts";
  import { serve } from "@hono/node-server";
  const fileset = await openExport({
    dir: process.argv[1],
    ...JSON.parse(process.argv[3]),
    onError: console.error,
  });
  await serveControl(fileset);
  const app = createApp({ filesets: [fileset] });
  serve({ fetch: app.fetch, hostname: "127.0.0.1", port: Number(process.argv[2]) }, ({ port }) =>
    console.log(port),
  );
`;

/** How the server is set; what is not said is as by default. */
interface LoopbackSettings {
  readonly permitTermMs?: number;
  readonly conflictPolicies?: readonly PolicyRule[];
  readonly heldRemovalPercent?: number;
  /** What of its directory it leaves out. */
  readonly ignore?: readonly string[];
}

export class LoopbackServer implements AsyncDisposable {
  readonly dir = mkdtempSync(join(tmpdir(), "izo-export-"));
  #child: ChildProcess | null = null;
  #port = 0;

  readonly #settings: LoopbackSettings;

  private constructor(settings: LoopbackSettings) {
    this.#settings = settings;
  }

  static async start(settings: LoopbackSettings = {}): Promise<LoopbackServer> {
    const server = new LoopbackServer(settings);
    await server.start();
    return server;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/rootfset`;
  }

  contentUrl(sha256: string): string {
    return `http://127.0.0.1:${this.#port}/v1/filesets/rootfset/content/${sha256}`;
  }

  /** Starts it on the port that it had before, if it had one. */
  async start(): Promise<void> {
    const args = ["--conditions=izo:source", "--input-type=module", "-e", PROGRAM];
    const settings = JSON.stringify(this.#settings);
    this.#child = spawn(process.execPath, [...args, this.dir, String(this.#port), settings], {
      cwd: SERVER_PACKAGE,
      stdio: ["ignore", "pipe", "inherit"],
    });
    const lines = createInterface({ input: this.#child.stdout! });
    // A process that ends without a word closes its output.
    const [line] = await Promise.race([once(lines, "line"), once(lines, "close")]);
    if (line === undefined) throw new Error("Cannot start the server: it has ended");
    this.#port = Number(line);
  }

  /** Cuts all of its log off, whoever lacks it. */
  async cutLog(): Promise<void> {
    const { peers } = (await this.#ask("GET", "/peers")) as { peers: { peer: string }[] };
    for (const { peer } of peers) {
      // oxlint-disable-next-line no-await-in-loop -- one queue runs them one after another anyway
      await this.#ask("POST", `/peers/forget?peer=${peer}`);
    }
    await this.#ask("POST", "/truncate", { olderThanMs: 0, isDryRun: false });
  }

  /** Ends it as a power button would. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  async #ask(method: "GET" | "POST", path: string, body?: unknown): Promise<unknown> {
    const state = join(this.dir, ".intermezzo/rootfset");
    const answer = await callControl(state, { method, path, body });
    if (!answer.isDone) throw new Error(`Cannot ask the server: ${answer.message}`);
    return answer.value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { serve } from "@izo/server";
import { expect, test } from "vitest";

import { EXIT } from "./output/exit-code.ts";
import { izoIn } from "./testing/izo-in.ts";

/** The script of the page that tells people how to do it. */
function script(url: string): string {
  const page = readFileSync(join(import.meta.dirname, "../../../docs/how-to/webhook.md"), "utf8");
  const [, text] = /```sh\n(.*?)```/s.exec(page) ?? [];
  if (text === undefined) throw new Error("Cannot find the script in docs/how-to/webhook.md");
  return text.replace("https://hooks.example.org/izo", url);
}

interface Post {
  readonly key: string;
  readonly record: { readonly opcode: string; readonly operation: { readonly path: string } };
}

/** A service that answers as a test says, and what it was sent. */
async function startService() {
  const posts: Post[] = [];
  const state = { status: 200 };
  const http = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const record = JSON.parse(Buffer.concat(chunks).toString()) as Post["record"];
      posts.push({ key: String(request.headers["idempotency-key"]), record });
      response.writeHead(state.status).end();
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const { port } = http.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/izo`,
    posts,
    state,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => http.close(() => resolve())),
  };
}

test("the webhook of the documentation tells a service of each record once, also past failures of it", async () => {
  await using stack = new AsyncDisposableStack();
  const directory = mkdtempSync(join(tmpdir(), "izo-hook-"));
  stack.defer(() => rmSync(directory, { recursive: true }));
  const exported = join(directory, "export");
  mkdirSync(join(exported, "docs"), { recursive: true });
  for (const name of ["docs/a.md", "docs/$(touch owned).md", "other.txt"]) {
    writeFileSync(join(exported, name), name);
  }
  const server = stack.use(await serve({ directory: exported, host: "127.0.0.1", port: 0 }));
  const service = stack.use(await startService());
  const made = await izoIn(directory, ["token", "create", exported, "--access", "log", "--json"]);
  const tokenFile = join(directory, "hook.token");
  writeFileSync(tokenFile, (JSON.parse(made.stdout) as { token: string }).token, { mode: 0o600 });
  const hook = join(directory, "izo-hook");
  writeFileSync(hook, script(service.url), { mode: 0o755 });
  const run = (): ReturnType<typeof izoIn> => {
    const cursor = join(directory, "hook.json");
    const where = ["--cursor", cursor, "--token-file", tokenFile, "--from", "start", "--once"];
    const what = ["*.md", "--op", "CLOSE,RENAME,UNLINK", "--retries", "1"];
    return izoIn(directory, ["on", server.url, ...what, ...where, "--", hook]);
  };

  service.state.status = 500;
  const failed = await run();
  expect(failed.status).toBe(EXIT.failed);
  expect(failed.stderr).toContain("ended with status 22");
  // The same record was tried twice, and nothing behind it.
  expect(new Set(service.posts.map(({ key }) => key)).size).toBe(1);
  const [first] = service.posts.splice(0);

  service.state.status = 204;
  expect((await run()).status).toBe(EXIT.ok);
  expect((await run()).status).toBe(EXIT.ok);
  expect(service.posts[0]).toEqual(first);
  const paths = service.posts.map(({ record }) => `${record.opcode} ${record.operation.path}`);
  expect(paths.toSorted()).toEqual(["CLOSE /docs/$(touch owned).md", "CLOSE /docs/a.md"]);

  const head = server.fileset.headPosition.recno;
  rmSync(join(exported, "docs/a.md"));
  await server.fileset.waitForRecno(head, 10_000);
  await run();
  expect(service.posts.at(-1)?.record).toMatchObject({
    opcode: "UNLINK",
    operation: { path: "/docs/a.md" },
  });
  expect(new Set(service.posts.map(({ key }) => key)).size).toBe(3);
});

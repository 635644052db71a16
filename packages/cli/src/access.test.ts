import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Credentials, HttpRemote } from "@izo/client";
import { createTestAuthority, type TestAuthority } from "@izo/core/testing";
import { type RunningServer, serve, tokensOf } from "@izo/server";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { EXIT } from "./output/exit-code.ts";
import { izoIn } from "./testing/izo-in.ts";

let authority: TestAuthority;
let others: TestAuthority;
let directory = "";
let exported = "";
let stack: AsyncDisposableStack;

beforeAll(() => {
  authority = createTestAuthority();
  others = createTestAuthority("others");
});
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "izo-access-"));
  exported = mkdtempSync(join(tmpdir(), "izo-access-"));
  stack = new AsyncDisposableStack();
});
afterEach(async () => {
  await stack.disposeAsync();
  rmSync(directory, { recursive: true });
  rmSync(exported, { recursive: true });
});

const file = (name: string, text: string): string => {
  const path = join(directory, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
};

function writeServerFiles(by: TestAuthority, validMs?: number): void {
  const { cert, key } = by.issue(["localhost", "127.0.0.1"], validMs);
  file("cert.pem", cert);
  file("key.pem", key);
}

async function startServer(clientCaFile?: string): Promise<RunningServer> {
  const certFile = join(directory, "cert.pem");
  const keyFile = join(directory, "key.pem");
  const tls = { certFile, keyFile, clientCaFile };
  return stack.use(await serve({ directory: exported, host: "127.0.0.1", port: 0, tls }));
}

/** What the server says to a client with these credentials: its fileset's name, or the code of an error. */
async function ask(url: string, credentials: Credentials): Promise<string> {
  await using remote = new HttpRemote(url, { credentials });
  return await askAgain(remote);
}

async function askAgain(remote: HttpRemote): Promise<string> {
  try {
    return (await remote.profile()).name;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe("a server with TLS", () => {
  test("is believed with its authority, and by nobody else", async () => {
    writeServerFiles(authority);
    const { url } = await startServer();
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/rootfset$/);
    const caFile = file("ca.pem", authority.cert);
    expect(await ask(url, { caFile })).toBe("rootfset");
    expect(await ask(url, {})).toBe("untrusted-server");
    expect(await ask(url, { caFile: file("others.pem", others.cert) })).toBe("untrusted-server");
    expect(await ask(url.replace("127.0.0.1", "127.0.0.2"), { caFile })).toBe("unreachable");
    const plain = url.replace("https:", "http:");
    expect(await ask(plain, {})).toBe("unreachable");
    const { status, stderr } = await izoIn(directory, ["status", url]);
    expect(status).toBe(EXIT.failed);
    expect(stderr).toContain("its certificate is signed by nobody known here");
    const trusted = await izoIn(directory, ["status", url, "--ca", "ca.pem", "--json"]);
    expect(JSON.parse(trusted.stdout)).toMatchObject({ filesetName: "rootfset" });
  });

  test("takes a renewed certificate without a restart, and none that does not fit its key", async () => {
    writeServerFiles(authority);
    const server = await startServer();
    const caFile = file("ca.pem", authority.cert);
    const othersFile = file("others.pem", others.cert);
    await using standing = new HttpRemote(server.url, { credentials: { caFile } });
    expect(await askAgain(standing)).toBe("rootfset");

    file("cert.pem", others.issue(["127.0.0.1"]).cert);
    server.reload();
    expect(await ask(server.url, { caFile })).toBe("rootfset");

    writeServerFiles(others);
    server.reload();
    expect(await ask(server.url, { caFile })).toBe("untrusted-server");
    expect(await ask(server.url, { caFile: othersFile })).toBe("rootfset");
    // A connection that stands goes on.
    expect(await askAgain(standing)).toBe("rootfset");
  });

  test("wants a client's certificate where it is told to", async () => {
    writeServerFiles(authority);
    const { url } = await startServer(file("clients.pem", others.cert));
    const caFile = file("ca.pem", authority.cert);
    const client = (by: TestAuthority, name: string): Credentials => {
      const { cert, key } = by.issue([]);
      return { caFile, certFile: file(`${name}.pem`, cert), keyFile: file(`${name}.key`, key) };
    };
    expect(await ask(url, client(others, "own"))).toBe("rootfset");
    expect(await ask(url, { caFile })).toBe("unreachable");
    expect(await ask(url, client(authority, "foreign"))).toBe("unreachable");
    const { stderr } = await izoIn(directory, ["status", url, "--ca", caFile]);
    expect(stderr).toContain("or it wants a client certificate");
  });

  test("does not start with a certificate and the key of another", async () => {
    writeServerFiles(authority);
    file("key.pem", authority.issue([]).key);
    await expect(startServer()).rejects.toMatchObject({ code: "unusable-tls" });
  });
});

describe("a token", () => {
  test("comes from a file, and another one counts at once", async () => {
    const { url } = stack.use(await serve({ directory: exported, host: "127.0.0.1", port: 0 }));
    const tokens = tokensOf(exported, "rootfset");
    const create = () => tokens.create({ access: "read", path: "/", expiresMs: null });
    expect(await ask(url.replace("http:", "https:"), {})).toBe("untrusted-server");
    const first = create();
    const tokenFile = file("token", `${first.text}\n`);
    await using remote = new HttpRemote(url, { credentials: { tokenFile } });
    expect(await askAgain(remote)).toBe("rootfset");
    tokens.revoke(first.stored.id);
    expect(await askAgain(remote)).toBe("token-invalid");
    file("token", "");
    expect(await askAgain(remote)).toBe("unusable-token");
    file("token", create().text);
    expect(await askAgain(remote)).toBe("rootfset");
    expect(await ask(url, {})).toBe("token-required");
    expect(await ask(url, { token: create().text })).toBe("rootfset");
  });

  test("is not sent where everybody reads it, unless that is wanted", async () => {
    const { text: token } = tokensOf(exported, "rootfset").create({
      access: "read",
      path: "/",
      expiresMs: null,
    });
    // Nobody answers there: without the refusal it would be "unreachable".
    const url = "http://192.0.2.1:9/rootfset";
    const timeouts = { connectMs: 50 };
    await using careful = new HttpRemote(url, { credentials: { token }, timeouts });
    expect(await askAgain(careful)).toBe("unusable-token");
    await using careless = new HttpRemote(url, {
      credentials: { token, isInsecure: true },
      timeouts,
    });
    expect(await askAgain(careless)).toBe("unreachable");
  });

  test("does not come back in errors about a command line that holds it", async () => {
    const token = `izo_3f2a91c0_${"A".repeat(43)}`;
    for (const args of [
      ["status", `http://${token}@127.0.0.1:1/x`],
      ["status", `http://user:${token}@127.0.0.1:1/x`],
      ["status", `http://127.0.0.1:1/x?token=${token}`],
      ["status", `ftp://127.0.0.1:1/x?token=${token}`],
      ["status", "http://127.0.0.1:1/x", `--token=${token}`],
      ["mount", `http://127.0.0.1:1/x#${token}`, directory],
    ]) {
      const { status, stderr, stdout } = await izoIn(directory, args);
      expect(status).not.toBe(EXIT.ok);
      expect(stderr + stdout).not.toContain("AAAA");
    }
  });
});

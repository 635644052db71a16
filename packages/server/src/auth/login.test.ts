import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { openTestAccess, type TestAccess } from "../testing/test-access.ts";
import { openTestApp, type TestApp } from "../testing/test-app.ts";

let t: TestApp;
let tokenDir = "";
let door: TestAccess;
beforeEach(async () => {
  t = await openTestApp();
  tokenDir = mkdtempSync(join(tmpdir(), "izo-login-"));
  door = openTestAccess(t.fileset, tokenDir);
});
afterEach(async () => {
  door[Symbol.dispose]();
  rmSync(tokenDir, { recursive: true });
  await t[Symbol.asyncDispose]();
});

const HTML = { Accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

function logIn(token: string, next = "/v1/filesets/rootfset/files/"): Promise<Response> {
  const body = new URLSearchParams({ token, next }).toString();
  return Promise.resolve(door.app.request("/login", { method: "POST", body }));
}

const cookieOf = (response: Response): string => response.headers.getSetCookie()[0]!.split(";")[0]!;

test("a browser without a session gets the form, the same for what exists and what does not", async () => {
  door.create({});
  const pages = ["/", "/v1/filesets/rootfset/files/hello.txt", "/v1/filesets/none/files/"].map(
    async (url) => {
      const response = await door.app.request(url, { headers: HTML });
      expect(response.status).toBe(401);
      expect(response.headers.get("Content-Security-Policy")).toContain("default-src 'none'");
      const page = await response.text();
      expect(page).toContain(`value="${url}"`);
      return page.replace(`value="${url}"`, "");
    },
  );
  expect(new Set(await Promise.all(pages)).size).toBe(1);
});

test("a valid token begins a session, which no script reads and no other site sends", async () => {
  const token = door.create({ access: "write", name: "person" });
  const response = await logIn(token);
  expect([response.status, response.headers.get("Location")]).toEqual([
    303,
    "/v1/filesets/rootfset/files/",
  ]);
  const [cookie = ""] = response.headers.getSetCookie();
  expect(cookie).toMatch(/^izo_session=.*; Path=\/; Expires=.*; HttpOnly; SameSite=Strict$/);
  expect(cookie).not.toContain(token.slice(-43));
  const headers = { Cookie: cookieOf(response) };
  expect((await door.app.request("/", { headers })).status).toBe(200);

  const change = { method: "POST", headers: { ...headers, Host: "nas" } };
  const url = "/v1/filesets/rootfset/reintegrate";
  expect((await door.app.request(url, change)).status).toBe(403);
  const foreign = { ...change.headers, Origin: "http://evil.example" };
  expect((await door.app.request(url, { ...change, headers: foreign })).status).toBe(403);
  const own = { ...change.headers, Origin: "http://nas" };
  expect((await door.app.request(url, { ...change, headers: own })).status).toBe(400);

  door.revoke("person");
  expect((await door.app.request("/", { headers })).status).toBe(401);
});

test("a session is none that was made up, or changed", async () => {
  const token = door.create({});
  const cookie = cookieOf(await logIn(token));
  const [id, untilMs, mac] = cookie.replace("izo_session=", "").split(".");
  for (const value of ["", "x", `${id}.${untilMs}.`, `${id}.${Number(untilMs) + 1}.${mac}`]) {
    const headers = { Cookie: `izo_session=${value}` };
    const { status } = await door.app.request("/", { headers });
    expect([value, status]).toEqual([value, 401]);
  }
});

test("POST /login refuses wrong tokens, and leads nowhere but into this server", async () => {
  const token = door.create({});
  const wrong = await logIn("izo_nothing");
  expect(wrong.status).toBe(401);
  expect(await wrong.text()).toContain("no such token");
  for (const next of ["//evil.example/", "/\\evil.example", "https://evil.example", "", "x"]) {
    const location = (await logIn(token, next)).headers.get("Location");
    expect([next, location]).toEqual([next, "/"]);
  }
});

test("POST /logout ends the session in the browser", async () => {
  const response = await door.app.request("/logout", { method: "POST" });
  expect(response.headers.getSetCookie()[0]).toMatch(/^izo_session=; Max-Age=0;/);
});

import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { expect, test } from "vitest";

import { leadsSession, SessionPriority } from "./session-priority.ts";
import { temporaryDirectory } from "./testing/temporary-directory.ts";

test.each([
  { description: "that was set", line: "/autogroup-94 nice -10\n", nice: -10 },
  { description: "that nobody has set", line: "/autogroup-3 nice 0\n", nice: 0 },
  { description: "of no group", line: "\n", nice: undefined },
])("SessionPriority reads a priority $description", ({ line, nice }) => {
  using directory = temporaryDirectory();
  const path = join(directory.path, "autogroup");
  writeFileSync(path, line);
  using session = new SessionPriority(path);
  expect(session.nice).toBe(nice);
});

/** In a session of its own, or in this process's. */
async function run(program: string, { isLeader = true } = {}): Promise<string> {
  const source = `
    import(${JSON.stringify(new URL("./session-priority.ts", import.meta.url))})
      .then(({ leadsSession, SessionPriority }) => console.log(String(${program})));`;
  const { stdout } = spawn(process.execPath, ["-e", source], { detached: isLeader });
  return await text(stdout);
}

test.skipIf(!existsSync("/proc/self/autogroup"))(
  "SessionPriority gives a session another priority, again and again",
  async () => {
    const program = `(() => {
      const session = new SessionPriority();
      return [3, 0, 5].map((nice) => (session.set(nice), session.nice));
    })()`;
    await expect(run(program)).resolves.toBe("3,0,5\n");
  },
);

test("SessionPriority says ENOENT where the kernel does not group by sessions", () => {
  const missing = "/proc/self/no-such-file";
  expect(() => new SessionPriority(missing)).toThrow(expect.objectContaining({ code: "ENOENT" }));
});

test("leadsSession() tells a session of this process from that of who started it", async () => {
  await expect(run("leadsSession()")).resolves.toBe("true\n");
  await expect(run("leadsSession()", { isLeader: false })).resolves.toBe("false\n");
});

test("leadsSession() counts fields from the end of a name that has all in it", () => {
  const { pid } = process;
  expect(leadsSession(`${pid} (a) S 1 1) S 1 ${pid} ${pid} 0 -1`)).toBe(true);
  expect(leadsSession(`${pid} (a) S 1 1) S 1 ${pid} 7 0 -1`)).toBe(false);
});

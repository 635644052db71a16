import {
  chmodSync,
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { LoopbackServer } from "../testing/loopback-server.ts";
import { mountInProcess } from "../testing/mount-in-process.ts";

let cleanup: AsyncDisposableStack;
let base = "";

beforeEach(() => {
  cleanup = new AsyncDisposableStack();
  base = mkdtempSync(join(tmpdir(), "izo-verify-"));
  cleanup.defer(() => rmSync(base, { recursive: true, force: true }));
});

afterEach(() => cleanup.disposeAsync());

const soon = (): AbortSignal => AbortSignal.timeout(20_000);

test("a running mount agrees with its records and with its server, with a file open for writing too", async () => {
  const server = cleanup.use(await LoopbackServer.start());
  mkdirSync(join(base, "mnt"));
  const inMount = (name: string) => join(base, "mnt", name);
  const places = { url: server.url, mountPoint: join(base, "mnt"), cacheDir: join(base, "cache") };
  const { control } = cleanup.use(await mountInProcess(places));
  mkdirSync(inMount("d"));
  for (let file = 0; file < 20; file += 1) writeFileSync(inMount(`d/file-${file}`), `text ${file}`);
  renameSync(inMount("d"), inMount("e"));
  linkSync(inMount("e/file-1"), inMount("second-name"));
  symlinkSync("e/file-2", inMount("link"));
  chmodSync(inMount("e/file-3"), 0o600);
  unlinkSync(inMount("e/file-4"));
  writeFileSync(inMount("e/.new"), "saved");
  renameSync(inMount("e/.new"), inMount("e/file-5"));
  await control.flush(soon());
  writeFileSync(join(server.dir, "of-server"), "s");
  const sound = await control.verify({ isQuick: false }, soon());
  expect(sound).toMatchObject({ differences: [], notices: [], isMounted: true });
  expect(sound.entries).toBeGreaterThan(20);

  const fd = openSync(inMount("e/file-6"), "w");
  writeSync(fd, "not closed yet");
  const { differences } = await control.verify({ isQuick: false }, soon());
  closeSync(fd);
  expect(differences.filter(({ cause }) => cause !== "unlogged")).toEqual([]);

  await control.flush(soon());
  await server.kill();
  const alone = await control.verify({ isQuick: true }, soon());
  expect(alone).toMatchObject({
    differences: [],
    notices: [expect.stringMatching(/^not compared with the server/) as string],
  });
});

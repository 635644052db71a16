import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { Export } from "../export/export.ts";
import { createApp } from "../routes/app.ts";
import { openTestExport, temporaryDirectory } from "./temporary-export.ts";

export interface TestApp extends AsyncDisposable {
  readonly dir: string;
  readonly fileset: Export;
  readonly app: ReturnType<typeof createApp>;
  /** Requests a path of the fileset, `/profile`, as a client on the network would. */
  get(path: string, headers?: Record<string, string>): Promise<Response>;
}

/** An export of a few real files, with the app over it. */
export async function openTestApp(): Promise<TestApp> {
  await using stack = new AsyncDisposableStack();
  const { dir } = stack.use(await temporaryDirectory());
  await mkdir(join(dir, "sub"));
  await writeFile(join(dir, "hello.txt"), "hello, world\n");
  await writeFile(join(dir, "sub", "a <b>.bin"), Buffer.alloc(200_000, 7));
  await writeFile(join(dir, "empty"), "");
  const fileset = stack.use(await openTestExport(dir));
  const app = createApp({ filesets: [fileset] });
  const held = stack.move();
  return {
    dir,
    fileset,
    app,
    get: async (path, headers = {}) => app.request(`/v1/filesets/rootfset${path}`, { headers }),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

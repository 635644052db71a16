import { existsSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

import { HttpRemote } from "@izo/client";

/** A directory that this machine serves, or something in it. */
export interface PathInExport {
  readonly remote: HttpRemote;
  /** The exported directory. */
  readonly root: string;
  /** From there, `/a/b`. */
  readonly path: string;
}

/** The export that a path is in, by its state directory; undefined where none is above it. */
export function findExport(path: string, fileset: string): PathInExport | undefined {
  const absolute = resolve(path);
  for (let root = absolute; ; root = dirname(root)) {
    const stateDirectory = join(root, ".intermezzo", fileset);
    if (existsSync(stateDirectory)) {
      const url = `http://localhost/${encodeURIComponent(fileset)}`;
      const remote = new HttpRemote(url, { credentials: { stateDirectory } });
      return { remote, root, path: `/${relative(root, absolute)}` };
    }
    if (root === dirname(root)) return undefined;
  }
}

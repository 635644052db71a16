import type { HttpRemote } from "@izo/client";
import { toFilesetPath } from "@izo/core";

import type { Cli } from "../cli.ts";
import {
  type ConnectionOptions,
  openRemote,
  openRemoteOf,
} from "../commands/connection-options.ts";
import { NotMountedError } from "../mounts/open-mount.ts";
import { findPathInMountIfAny } from "../mounts/path-in-mount.ts";
import { isUrl } from "../parse-address.ts";
import { findExport } from "./find-export.ts";

/** What a question about the past is about, and the server that can answer it. */
export interface HistorySubject extends AsyncDisposable {
  readonly remote: HttpRemote;
  /** From the root of the fileset, `/a/b`. */
  readonly path: string;
  /** Where the root of the fileset is on this machine: a mount point or the export; null for a URL. */
  readonly root: string | null;
}

/** How to ask a server: its name for what is exported here, or what a URL needs. */
export type SubjectOptions = ConnectionOptions & { readonly fileset: string };

/**
 * What `PATH` on a mount or in an exported directory, `MNT PATH`, `DIR PATH` or `URL PATH` names; without
 * a path the root.
 *
 * @throws NotMountedError, InvalidFilesetUrlError
 */
export function openSubject(
  what: string,
  path: string | undefined,
  options: SubjectOptions,
  cli: Cli,
): HistorySubject {
  const below = path ?? "";
  if (isUrl(what)) return subject(openRemote(what, options, cli), below, null);
  const mounted = findPathInMountIfAny(what);
  if (mounted !== undefined) {
    const { mount } = mounted;
    return subject(openRemoteOf(mount.note), `${mounted.path}/${below}`, mount.mountPoint);
  }
  const exported = findExport(what, options.fileset);
  if (exported === undefined) throw new NotMountedError(what, "no mount or export is above it");
  return subject(exported.remote, `${exported.path}/${below}`, exported.root);
}

function subject(remote: HttpRemote, path: string, root: string | null): HistorySubject {
  const close = () => remote[Symbol.asyncDispose]();
  return { remote, path: toFilesetPath(path), root, [Symbol.asyncDispose]: close };
}

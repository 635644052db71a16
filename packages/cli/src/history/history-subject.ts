import type { HttpRemote } from "@izo/client";
import { toFilesetPath } from "@izo/core";

import type { Cli } from "../cli.ts";
import {
  type ConnectionOptions,
  openRemote,
  openRemoteOf,
} from "../commands/connection-options.ts";
import type { KnownMount } from "../mounts/open-mount.ts";
import { findPathInMount } from "../mounts/path-in-mount.ts";
import { isUrl } from "../parse-address.ts";

/** What a question about the past is about, and the server that can answer it. */
export interface HistorySubject extends AsyncDisposable {
  readonly remote: HttpRemote;
  /** From the root of the fileset, `/a/b`. */
  readonly path: string;
  /** Where it is mounted on this machine; null where it was named by a URL. */
  readonly mount: KnownMount | null;
}

/**
 * What `PATH` on a mount, `MNT PATH` or `URL PATH` names; without a path the root.
 *
 * @throws NotMountedError, InvalidFilesetUrlError
 */
export function openSubject(
  what: string,
  path: string | undefined,
  options: ConnectionOptions,
  cli: Cli,
): HistorySubject {
  const below = toFilesetPath(path ?? "");
  if (isUrl(what)) return subject(openRemote(what, options, cli), below, null);
  const found = findPathInMount(what);
  const whole = toFilesetPath(`${found.path}${below}`);
  return subject(openRemoteOf(found.mount.note), whole, found.mount);
}

function subject(remote: HttpRemote, path: string, mount: KnownMount | null): HistorySubject {
  return { remote, path, mount, [Symbol.asyncDispose]: () => remote[Symbol.asyncDispose]() };
}

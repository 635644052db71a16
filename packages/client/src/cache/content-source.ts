import type { Sha256 } from "@izo/core";

import type { ContentOptions, RemoteContent } from "../sync/remote.ts";

/** Where contents come from. A `Remote` is one. */
export interface ContentSource {
  fetchContent(
    sha256: Sha256,
    options?: ContentOptions,
    signal?: AbortSignal,
  ): Promise<RemoteContent>;
  /** Aborted when the server is known to be lost: what is still under way then is not waited for. */
  readonly lost?: AbortSignal;
}

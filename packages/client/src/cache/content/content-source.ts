import type { Sha256 } from "@izo/core";

import type { Landed } from "../../sync/push/landed.ts";
import type { ContentOptions, RemoteContent } from "../../sync/remote.ts";

/** Where contents come from. A `Remote` is one. */
export interface ContentSource {
  fetchContent(
    sha256: Sha256,
    options?: ContentOptions,
    signal?: AbortSignal,
  ): Promise<RemoteContent>;
  /**
   * The same, where it has a way past the event loop: what comes by it is in the file already when it is yielded, at
   * the place that it has in the content.
   *
   * @param fd a file that stays open until the bytes have ended, or were left
   */
  landContent?(
    sha256: Sha256,
    fd: number,
    options?: ContentOptions,
    signal?: AbortSignal,
  ): Promise<RemoteContent<Uint8Array | Landed>>;
  /** Aborted when the server is known to be lost: what is still under way then is not waited for. */
  readonly lost?: AbortSignal;
}

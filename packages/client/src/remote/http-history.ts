import {
  type BlamedEntry,
  type HistoryRequest,
  type HistoryResponse,
  type Listing,
  type ListedObject,
  type LogPlace,
  MEDIA_TYPES,
  parseBlameResponse,
  parseHistoryResponse,
  parseListing,
  parseSnapshotResponse,
  ProblemError,
  type Route,
  routePath,
  type Sha256,
  type SnapshotRow,
  writeAtQuery,
  writeFilesPath,
  writeHistoryRequest,
  writeTreeRequest,
} from "@izo/core";

import type { RemoteContent } from "../sync/remote.ts";
import { checkMessages } from "./check-message.ts";
import { fetchContent } from "./fetch-content.ts";
import { getJson, readJson } from "./get-json.ts";
import type { HttpConnection } from "./http-connection.ts";

/** A fileset's tree and changes as they were, asked of its server. `at` undefined is the head. */
export class HttpHistory {
  readonly #connection: HttpConnection;
  readonly #prefix: string;
  readonly #fileset: string;

  /** @param prefix what stands before the routes on the server */
  constructor(connection: HttpConnection, prefix: string, fileset: string) {
    this.#connection = connection;
    this.#prefix = prefix;
    this.#fileset = fileset;
  }

  /** What a directory held. @throws RemoteProblemError; of a file, ProblemError `unknown-directory` */
  async listing(path: string, at?: LogPlace, signal?: AbortSignal): Promise<Listing> {
    const url = `${this.#path("files")}${writeFilesPath(path)}${writeAtQuery(at)}`;
    const response = await this.#connection.request("control", {
      path: url,
      headers: { Accept: MEDIA_TYPES.json },
      signal,
    });
    if (response.header("Accept-Ranges") !== null) {
      await response.body.return();
      throw new ProblemError(
        "unknown-directory",
        `Cannot list ${JSON.stringify(path)}: it is a file`,
      );
    }
    return readJson(response, parseListing);
  }

  /** What stood at a path, without what it held. @throws RemoteProblemError `unknown-path` */
  async lookUp(path: string, at?: LogPlace, signal?: AbortSignal): Promise<ListedObject> {
    const slash = path.lastIndexOf("/");
    const name = path.slice(slash + 1);
    const directory = await this.listing(path.slice(0, slash) || "/", at, signal);
    if (name === "") return directory;
    const entry = directory.entries.find((one) => one.name === name);
    if (entry !== undefined) return entry;
    const when = directory.at === null ? "" : ` as it was behind record ${directory.at}`;
    throw new ProblemError(
      "unknown-path",
      `Cannot find ${JSON.stringify(path)} in the fileset${when}`,
    );
  }

  /** The content that a file had; the caller checks its hash. */
  async content(path: string, at?: LogPlace, signal?: AbortSignal): Promise<RemoteContent> {
    const url = `${this.#path("files")}${writeFilesPath(path)}${writeAtQuery(at)}`;
    return fetchContent(this.#connection, url, {}, signal);
  }

  /** Tells whether the server has a content. */
  async hasContent(sha256: Sha256, signal?: AbortSignal): Promise<boolean> {
    const path = this.#prefix + routePath("content", { fileset: this.#fileset, sha256 });
    const answer = await this.#connection.request("bulk", {
      method: "HEAD",
      path,
      accepted: [404],
      signal,
    });
    await answer.body.return();
    return answer.status !== 404;
  }

  /** The tree behind a place, whole, or what of it differs from the tree behind another. */
  async *tree(
    at: LogPlace,
    against?: LogPlace,
    signal?: AbortSignal,
  ): AsyncGenerator<SnapshotRow, void> {
    const { url, body } = await this.#connection.request("bulk", {
      path: `${this.#path("tree")}?${writeTreeRequest(at, against)}`,
      headers: { Accept: MEDIA_TYPES.snapshot },
      signal,
    });
    yield* checkMessages(url, parseSnapshotResponse(body));
  }

  /** One page of the records about an object, or about all that had a path. */
  async records(request: HistoryRequest, signal?: AbortSignal): Promise<HistoryResponse> {
    const path = `${this.#path("history")}${writeHistoryRequest(request)}`;
    return getJson(this.#connection, path, parseHistoryResponse, signal);
  }

  /** The last change of each entry of a directory. */
  async blame(path: string, at?: LogPlace, signal?: AbortSignal): Promise<BlamedEntry[]> {
    const url = `${this.#path("blame")}${writeFilesPath(path)}${writeAtQuery(at)}`;
    return getJson(this.#connection, url, parseBlameResponse, signal);
  }

  #path(route: Exclude<Route, "segment" | "content" | "position">): string {
    return this.#prefix + routePath(route, { fileset: this.#fileset });
  }
}

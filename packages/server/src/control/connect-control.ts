import { join } from "node:path";

import { type ConflictReport, type FilesetStatus, IzoError, type PeerStanding } from "@izo/core";
import { callControl, type ControlCall, ControlSilentError } from "@izo/sys";

import type { Truncated } from "../export/export.ts";
import { STATE_DIRECTORY } from "../export/state-directory.ts";
import type { ServerControl } from "./server-control.ts";

/** No server runs for this export, or one that died. */
export class ServerNotAnsweringError extends IzoError {
  constructor(directory: string, filesetName: string, cause: unknown) {
    super(
      "server-not-answering",
      `Cannot ask the server of ${JSON.stringify(directory)} (fileset ${filesetName}): nobody answers`,
      { directory, filesetName },
      { cause },
    );
  }
}

/**
 * The control of the server that exports a directory of this machine; each call connects anew.
 *
 * Its methods throw ServerNotAnsweringError where no process serves it, and an IzoError with the code
 * of the server's own error where it failed there.
 */
export function connectServer(directory: string, filesetName: string): ServerControl {
  const ask = async (
    method: ControlCall["method"],
    path: string,
    body?: unknown,
  ): Promise<unknown> => {
    try {
      const state = join(directory, STATE_DIRECTORY, filesetName);
      const answer = await callControl(state, { method, path, body });
      if (answer.isDone) return answer.value;
      throw new IzoError(answer.code, answer.message);
    } catch (error) {
      if (!(error instanceof ControlSilentError)) throw error;
      throw new ServerNotAnsweringError(directory, filesetName, error.cause);
    }
  };
  return {
    status: async () => (await ask("GET", "/status")) as FilesetStatus,
    conflicts: async () =>
      ((await ask("GET", "/conflicts")) as { readonly conflicts: readonly ConflictReport[] })
        .conflicts,
    confirmRemoval: async () => void (await ask("POST", "/held/confirm")),
    rescan: async () => void (await ask("POST", "/held/rescan")),
    settle: async () => void (await ask("POST", "/settle")),
    peers: async () =>
      ((await ask("GET", "/peers")) as { readonly peers: readonly PeerStanding[] }).peers,
    truncate: async (request) => (await ask("POST", "/truncate", request)) as Truncated,
    forgetPeer: async (peer) => void (await ask("POST", `/peers/forget?peer=${peer}`)),
  };
}

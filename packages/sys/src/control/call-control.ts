import { text as readText } from "node:stream/consumers";

import { nodeHttp } from "../node-http.ts";
import { withSocketPath } from "./control-socket.ts";

/** Nobody answers on the control socket of a directory: no process, or one that has died. */
export class ControlSilentError extends Error {
  readonly code = "control-silent";

  constructor(directory: string, cause: unknown) {
    super(`Cannot ask the process of ${JSON.stringify(directory)}: nobody answers`, { cause });
    this.name = "ControlSilentError";
  }
}

/** What a process answered: what was asked for, or the code and the text of its own error. */
export type ControlAnswer =
  | { readonly isDone: true; readonly value: unknown }
  | { readonly isDone: false; readonly code: string; readonly message: string };

/** What one asks of the process behind a control socket. */
export interface ControlCall {
  readonly method: "GET" | "POST";
  /** The path with its query: `/wait?recno=7`. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Gives up waiting; the other side is told by the end of the connection. */
  readonly signal?: AbortSignal;
}

/**
 * Asks the process that serves the control socket of a directory; each call connects anew.
 *
 * @throws ControlSilentError; the signal's reason
 */
export async function callControl(directory: string, call: ControlCall): Promise<ControlAnswer> {
  const { status, value } = await exchange(directory, call);
  if (status === 200) return { isDone: true, value };
  const { code, message } = value as { readonly code: string; readonly message: string };
  return { isDone: false, code, message };
}

async function exchange(
  directory: string,
  { method, path, body, signal }: ControlCall,
): Promise<{ status: number | undefined; value: unknown }> {
  try {
    return await withSocketPath(directory, async (socketPath) => {
      const { promise, resolve, reject } = Promise.withResolvers<{
        status: number | undefined;
        text: string;
      }>();
      nodeHttp
        .request(
          { socketPath, method, path, ...(signal !== undefined && { signal }) },
          (response) => {
            readText(response).then(
              (text) => resolve({ status: response.statusCode, text }),
              reject,
            );
          },
        )
        .once("error", reject)
        .end(body === undefined ? undefined : JSON.stringify(body));
      const { status, text } = await promise;
      return { status, value: JSON.parse(text) as unknown };
    });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new ControlSilentError(directory, cause);
  }
}

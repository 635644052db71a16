import { MAX_JSON_BYTES } from "@izo/core";

import { checkMessage } from "./check-message.ts";
import { readWhole } from "./http-body.ts";
import type { HttpConnection, HttpResponse } from "./http-connection.ts";

/** Asks for a JSON message and reads it. @throws what the connection throws; RemoteProtocolError */
export async function getJson<T>(
  connection: HttpConnection,
  path: string,
  parse: (text: string) => T,
  signal: AbortSignal | undefined,
): Promise<T> {
  return readJson(await connection.request("control", { path, signal }), parse);
}

/** Reads the JSON message of an answer. @throws RemoteProtocolError */
export async function readJson<T>(response: HttpResponse, parse: (text: string) => T): Promise<T> {
  const text = new TextDecoder().decode(await readWhole(response, MAX_JSON_BYTES));
  return checkMessage(response.url, () => parse(text));
}

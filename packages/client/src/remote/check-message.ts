import { InvalidPositionError, WireFormatError } from "@izo/core";

import { RemoteProtocolError } from "../sync/remote-error.ts";

/** What `parse` makes of a message, whose faults are the server's. @throws RemoteProtocolError */
export function checkMessage<T>(url: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw asProtocolError(url, error);
  }
}

/** {@link checkMessage} for a message that arrives in parts. */
export async function* checkMessages<T>(
  url: string,
  parts: AsyncIterable<T>,
): AsyncGenerator<T, void> {
  const iterator = parts[Symbol.asyncIterator]();
  try {
    for (;;) {
      // Only what reading throws is the server's fault, not what the consumer throws into this.
      const { done, value } = await iterator.next().catch((error: unknown) => {
        throw asProtocolError(url, error);
      });
      if (done === true) return;
      yield value;
    }
  } finally {
    await iterator.return?.();
  }
}

function asProtocolError(url: string, error: unknown): unknown {
  if (error instanceof WireFormatError || error instanceof InvalidPositionError) {
    return new RemoteProtocolError(url, error.message, { cause: error });
  }
  return error;
}

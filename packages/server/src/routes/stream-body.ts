import type { AppContext } from "./app-environment.ts";

/**
 * A response body of what `chunks` yields, at the pace of the client. When the client goes away, the
 * generator's `finally` runs; when its token is revoked, the body is cut off. When the generator throws,
 * the connection is reset: a body that ends early or wrong must not look whole to anybody, least of all to
 * a cache (design S5). One that waits for something is woken by `onGone`.
 */
export function streamBody(
  c: AppContext,
  chunks: AsyncGenerator<Uint8Array, void>,
  onGone: () => void = () => {},
): ReadableStream<Uint8Array> {
  const { logger, metrics, requestId, caller } = c.var;
  let isGone = false;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          caller.end?.throwIfAborted();
          const { done, value } = await chunks.next();
          // What it waited for has ended because nobody reads on: there is nothing to close.
          if (isGone) return;
          if (done === true) return controller.close();
          metrics.bytesServed(value.length);
          controller.enqueue(value);
        } catch (error) {
          logger.warn({ err: error, requestId }, "body cut off");
          controller.error(error);
        }
      },
      async cancel() {
        isGone = true;
        onGone();
        await chunks.return();
      },
    },
    { highWaterMark: 0 },
  );
}

import { connect, type Socket, type TcpNetConnectOpts, type IpcNetConnectOpts } from "node:net";

/** Pieces through Node are this long, as those of its own streams. */
const PIECE_BYTES = 64 * 1024;

/** A server that is spoken to without encryption. */
export type PlainAddress = Pick<TcpNetConnectOpts, "host" | "port"> | { readonly path: string };

/**
 * A connection of which it is known at each moment what has been read of it: one piece at a time, and only when asked. So
 * its descriptor can be handed to somebody who reads on where this ended.
 */
export class PlainSocket implements Disposable {
  readonly #socket: Socket;
  readonly #signal: AbortSignal | undefined;
  readonly #abort = (): void => void this.#socket.destroy(this.#signal?.reason as Error);
  /** What came and was not asked for: the first piece, which Node reads by itself. */
  #piece: Buffer | null = null;
  #hasEnded = false;
  #error: unknown;
  #changed = Promise.withResolvers<void>();

  /** @param silenceMs so long nothing may come; to be set anew with {@link setSilence} */
  constructor(address: PlainAddress, silenceMs: number, signal: AbortSignal | undefined) {
    signal?.throwIfAborted();
    this.#signal = signal;
    const onread = {
      buffer: Buffer.allocUnsafe(PIECE_BYTES),
      callback: (count: number, bytes: Uint8Array) => {
        this.#piece = Buffer.from(bytes.subarray(0, count));
        this.#changed.resolve();
        // Nothing more is read until somebody asks.
        return false;
      },
    };
    const options = { ...address, onread, keepAlive: true } as
      | TcpNetConnectOpts
      | IpcNetConnectOpts;
    this.#socket = connect(options)
      .on("error", (error) => (this.#error ??= error))
      .on("end", () => this.#end())
      .on("close", () => this.#end())
      .on("timeout", () => this.#socket.destroy(timedOut()));
    this.setSilence(silenceMs);
    signal?.addEventListener("abort", this.#abort, { once: true });
  }

  /** How long nothing may come before the connection counts as broken; 0 for any time. */
  setSilence(ms: number): void {
    this.#socket.setTimeout(ms);
  }

  send(text: string): void {
    this.#socket.write(text, "latin1");
  }

  /** The next bytes; null at the end. @throws the system's errors, the reason of the signal */
  async read(): Promise<Buffer | null> {
    for (;;) {
      const piece = this.#piece;
      this.#piece = null;
      if (piece !== null) return piece;
      if (this.#error !== undefined) throw this.#error;
      if (this.#hasEnded) return null;
      this.#changed = Promise.withResolvers();
      this.#socket.resume();
      // oxlint-disable-next-line no-await-in-loop -- one piece
      await this.#changed.promise;
    }
  }

  /**
   * The descriptor, for a thread that reads on where this has ended. From then on nothing but disposing of this closes it,
   * the signal neither: what is closed under a thread is another connection's by the time it reads.
   *
   * Undefined where the descriptor is not known, and while something that came was not taken.
   */
  handOver(): number | undefined {
    if (this.#piece !== null || this.#hasEnded || this.#error !== undefined) return undefined;
    const { _handle: handle } = this.#socket as Socket & { _handle?: { fd?: number } | null };
    if (handle?.fd === undefined || handle.fd < 0) return undefined;
    this.setSilence(0);
    this.#signal?.removeEventListener("abort", this.#abort);
    return handle.fd;
  }

  [Symbol.dispose](): void {
    this.#signal?.removeEventListener("abort", this.#abort);
    this.#socket.destroy();
  }

  #end(): void {
    this.#hasEnded = true;
    this.#changed.resolve();
  }
}

function timedOut(): Error {
  return Object.assign(new Error("Cannot go on: nothing came in time"), { code: "ETIMEDOUT" });
}

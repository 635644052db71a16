import type { ByteWriter } from "../kml/byte-writer.ts";
import { WireFormatError } from "./wire-format-error.ts";

/** Length of the payload u32, type u8; the payload follows. Layout in `docs/protocol.md`. */
const FRAME_HEADER_BYTES = 5;

/** One frame of a framed body. */
export interface Frame {
  readonly type: number;
  /** A view of the bytes that came in; it stays as it is. */
  readonly payload: Uint8Array;
}

/** Writes one frame around what `writePayload` writes. */
export function writeFrame(w: ByteWriter, type: number, writePayload: () => void): void {
  const start = w.length;
  w.u32(0, "length of the frame");
  w.u8(type, "type of the frame");
  writePayload();
  w.patchU32(start, w.length - start - FRAME_HEADER_BYTES);
}

/** Cuts a body that arrives in chunks into frames, holding one frame and one chunk at most. */
class FrameSplitter {
  readonly #what: string;
  readonly #maxPayloadBytes: number;
  #chunks: Uint8Array[] = [];
  #length = 0;

  /** @param what names the message in errors */
  constructor(what: string, maxPayloadBytes: number) {
    this.#what = what;
    this.#maxPayloadBytes = maxPayloadBytes;
  }

  /** The frames that this chunk completes. @throws WireFormatError when a frame is too long */
  push(chunk: Uint8Array): Frame[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length < this.#needed()) return [];
    const bytes = this.#joined();
    const frames: Frame[] = [];
    let at = 0;
    while (bytes.length - at >= FRAME_HEADER_BYTES) {
      const payloadBytes = this.#payloadBytes(bytes, at);
      const end = at + FRAME_HEADER_BYTES + payloadBytes;
      if (end > bytes.length) break;
      frames.push({ type: bytes[at + 4]!, payload: bytes.subarray(at + FRAME_HEADER_BYTES, end) });
      at = end;
    }
    this.#chunks = at === bytes.length ? [] : [bytes.subarray(at)];
    this.#length = bytes.length - at;
    return frames;
  }

  /** To be called at the end of the body. @throws WireFormatError when a frame is cut off */
  finish(): void {
    if (this.#length > 0) throw new WireFormatError(this.#what, "it ends inside a frame");
  }

  /** Bytes that have to be here before the next frame can be complete. */
  #needed(): number {
    if (this.#length < FRAME_HEADER_BYTES) return FRAME_HEADER_BYTES;
    const first = this.#chunks[0]!;
    const bytes = first.length >= FRAME_HEADER_BYTES ? first : this.#joined();
    return FRAME_HEADER_BYTES + this.#payloadBytes(bytes, 0);
  }

  #payloadBytes(bytes: Uint8Array, at: number): number {
    const length =
      (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
    if (length > this.#maxPayloadBytes) {
      throw new WireFormatError(
        this.#what,
        `a frame of ${length} bytes is longer than ${this.#maxPayloadBytes}`,
      );
    }
    return length;
  }

  #joined(): Uint8Array {
    if (this.#chunks.length === 1) return this.#chunks[0]!;
    const bytes = new Uint8Array(this.#length);
    let at = 0;
    for (const chunk of this.#chunks) {
      bytes.set(chunk, at);
      at += chunk.length;
    }
    this.#chunks = [bytes];
    return bytes;
  }
}

/** The frames of a whole body in memory. @throws WireFormatError */
export function splitFrames(what: string, body: Uint8Array): Frame[] {
  const splitter = new FrameSplitter(what, body.length);
  const frames = splitter.push(body);
  splitter.finish();
  return frames;
}

/**
 * The frames of a body as they arrive, those of a chunk together: what goes through an asynchronous generator costs more
 * than it takes to read a small one.
 *
 * @throws WireFormatError, and what `chunks` throws
 */
export async function* readFrames(
  what: string,
  chunks: AsyncIterable<Uint8Array>,
  maxPayloadBytes: number,
): AsyncGenerator<Frame[], void> {
  const splitter = new FrameSplitter(what, maxPayloadBytes);
  for await (const chunk of chunks) yield splitter.push(chunk);
  splitter.finish();
}

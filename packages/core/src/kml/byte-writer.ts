import { writeHex } from "./hex.ts";
import { InvalidRecordError } from "./invalid-record-error.ts";
import { textToBytes } from "./name.ts";

const FIRST_CAPACITY_BYTES = 4096;
const MIN_TIME_NS = -(2n ** 63n);
const MAX_TIME_NS = 2n ** 63n - 1n;

/**
 * A growing buffer with a little-endian cursor, to be reused: `reset`, write, `bytes`.
 *
 * Every method checks the range of what it writes and throws {@link InvalidRecordError}, so that bytes
 * which were written can be read back as what was meant.
 */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_CAPACITY_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** All that was written: a view that the next write may change. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Forgets what was written from `length` on. */
  reset(length = 0): void {
    this.#length = length;
  }

  u8(value: number, what: string): void {
    this.#whole(value, 0xff, what);
    const at = this.#claim(1);
    this.#bytes[at] = value;
  }

  u16(value: number, what: string): void {
    this.#whole(value, 0xffff, what);
    const at = this.#claim(2);
    this.#view.setUint16(at, value, true);
  }

  u32(value: number, what: string): void {
    this.#whole(value, 0xffff_ffff, what);
    const at = this.#claim(4);
    this.#view.setUint32(at, value, true);
  }

  /** A whole number up to 2^53 - 1 in eight bytes. */
  u53(value: number, what: string): void {
    this.#whole(value, Number.MAX_SAFE_INTEGER, what);
    const at = this.#claim(8);
    this.#view.setUint32(at, value >>> 0, true);
    this.#view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true);
  }

  i64(value: bigint, what: string): void {
    if (value < MIN_TIME_NS || value > MAX_TIME_NS) {
      throw new InvalidRecordError(`${what} ${value} does not fit in 64 bits`);
    }
    const at = this.#claim(8);
    this.#view.setBigInt64(at, value, true);
  }

  /** `length` bytes given as hexadecimal text. */
  hex(text: string, length: number, what: string): void {
    const at = this.#claim(length);
    if (!writeHex(this.#bytes, at, text, length)) {
      throw new InvalidRecordError(
        `${what} ${JSON.stringify(text)} is not ${2 * length} lower-case hexadecimal digits`,
      );
    }
  }

  raw(bytes: Uint8Array): void {
    const at = this.#claim(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** A text behind its length in one byte. */
  text8(text: string, what: string): void {
    const at = this.#claim(1);
    const length = this.#text(text);
    if (length > 0xff) throw new InvalidRecordError(`${what} has ${length} bytes, more than 255`);
    this.#bytes[at] = length;
  }

  /** A text behind its length in four bytes. */
  text32(text: string): void {
    const at = this.#claim(4);
    const length = this.#text(text);
    this.#view.setUint32(at, length, true);
  }

  /** Writes a u32 where `at` lies before the cursor. */
  patchU32(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  #text(text: string): number {
    const length = text.length;
    const at = this.#claim(length);
    const bytes = this.#bytes;
    for (let index = 0; index < length; index += 1) {
      const code = text.charCodeAt(index);
      if (code >= 0x80) {
        this.#length = at;
        const encoded = textToBytes(text);
        this.raw(encoded);
        return encoded.length;
      }
      bytes[at + index] = code;
    }
    return length;
  }

  #whole(value: number, max: number, what: string): void {
    if (!Number.isSafeInteger(value) || value < 0 || value > max) {
      throw new InvalidRecordError(`${what} ${value} is not a whole number from 0 to ${max}`);
    }
  }

  /**
   * Makes room for `size` bytes and returns where they start. It may replace buffer and view, so it
   * stands in a statement of its own: `view.set(claim())` would write to the old one.
   */
  #claim(size: number): number {
    const at = this.#length;
    const end = at + size;
    if (end > this.#bytes.length) this.#grow(end);
    this.#length = end;
    return at;
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

import { hexOf16 } from "./hex.ts";
import { bytesToText } from "./name.ts";

/** Bytes that do not have the form of what is read; the caller knows where they came from. */
export class ByteFormatError extends Error {}

/**
 * Ids repeat: a log names the same peers and directories again and again. A direct-mapped cache of
 * them returns the string made before, which saves making it and keeps one copy in memory.
 */
const CACHED_IDS = 4096;
const idWords = new Int32Array(4 * CACHED_IDS);
const idTexts: string[] = Array.from({ length: CACHED_IDS }, () => "0".repeat(32));

/** Texts up to this length are cheaper to make from character codes than by a TextDecoder. */
const SHORT_TEXT_BYTES = 24;

/** A little-endian cursor over `bytes[offset, end)`, which it never leaves. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, offset: number, end: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = offset;
    this.#end = end;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  u8(): number {
    return this.#bytes[this.#take(1)]!;
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** Eight bytes that hold a whole number up to 2^53 - 1. */
  u53(what: string): number {
    const at = this.#take(8);
    const high = this.#view.getUint32(at + 4, true);
    if (high > 0x1f_ffff) throw new ByteFormatError(`${what} is over 2^53 - 1`);
    return high * 0x1_0000_0000 + this.#view.getUint32(at, true);
  }

  i64(): bigint {
    return this.#view.getBigInt64(this.#take(8), true);
  }

  /** 16 bytes as 32 hexadecimal digits. */
  id(): string {
    const at = this.#take(16);
    const view = this.#view;
    const a = view.getInt32(at, true);
    const b = view.getInt32(at + 4, true);
    const c = view.getInt32(at + 8, true);
    const d = view.getInt32(at + 12, true);
    const slot = (a ^ (a >>> 12) ^ b ^ c ^ (d >>> 20) ^ d) & (CACHED_IDS - 1);
    const words = 4 * slot;
    if (
      idWords[words] === a &&
      idWords[words + 1] === b &&
      idWords[words + 2] === c &&
      idWords[words + 3] === d
    ) {
      return idTexts[slot]!;
    }
    const text = hexOf16(this.#bytes, at);
    idWords[words] = a;
    idWords[words + 1] = b;
    idWords[words + 2] = c;
    idWords[words + 3] = d;
    idTexts[slot] = text;
    return text;
  }

  /** 32 bytes as 64 hexadecimal digits. */
  hash(): string {
    const at = this.#take(32);
    return hexOf16(this.#bytes, at) + hexOf16(this.#bytes, at + 16);
  }

  /** 8 bytes as 16 hexadecimal digits. */
  check(): string {
    const at = this.#take(8);
    const high = this.#view.getUint32(at, false);
    const low = this.#view.getUint32(at + 4, false);
    if (high === 0 && low === 0) return "0000000000000000";
    return high.toString(16).padStart(8, "0") + low.toString(16).padStart(8, "0");
  }

  /** A copy of `length` bytes. */
  raw(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.slice(at, at + length);
  }

  /** A text behind its length in one byte. */
  text8(): string {
    return this.#text(this.u8());
  }

  /** A text behind its length in four bytes. */
  text32(): string {
    return this.#text(this.u32());
  }

  #text(length: number): string {
    const at = this.#take(length);
    const bytes = this.#bytes;
    if (length <= SHORT_TEXT_BYTES) {
      let text = "";
      let index = at;
      const end = at + length;
      for (; index < end; index += 1) {
        const byte = bytes[index]!;
        if (byte >= 0x80) return bytesToText(bytes.subarray(at, end));
        text += String.fromCharCode(byte);
      }
      return text;
    }
    return bytesToText(bytes.subarray(at, at + length));
  }

  #take(size: number): number {
    const at = this.#at;
    if (size > this.#end - at) throw new ByteFormatError("it ends inside a field");
    this.#at = at + size;
    return at;
  }
}

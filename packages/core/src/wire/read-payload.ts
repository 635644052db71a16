import { IzoError } from "../errors.ts";
import { ByteFormatError, ByteReader } from "../kml/byte-reader.ts";
import { WireFormatError } from "./wire-format-error.ts";

/**
 * What `read` makes of the payload of a frame, all of which it must take.
 *
 * @throws WireFormatError when the bytes are too few, too many, or mean nothing
 */
export function readPayload<T>(what: string, payload: Uint8Array, read: (r: ByteReader) => T): T {
  const reader = new ByteReader(payload, 0, payload.length);
  try {
    const value = read(reader);
    if (reader.remaining !== 0)
      throw new ByteFormatError(`${reader.remaining} bytes are left over`);
    return value;
  } catch (error) {
    if (error instanceof ByteFormatError || error instanceof IzoError) {
      throw new WireFormatError(what, error.message, { cause: error });
    }
    throw error;
  }
}

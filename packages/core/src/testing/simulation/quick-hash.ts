import type { HashFunction } from "../../kml/running-hash.ts";

const WORDS = 8;

/**
 * 32 bytes that differ where the input does, as far as chance goes: nobody attacks a simulation, and
 * SHA-256 would take a good part of its time. Murmur's mixing step over eight lanes.
 */
export const quickHash: HashFunction = (bytes) => {
  const lanes = new Uint32Array(WORDS);
  let carry = 0x811c9dc5 ^ bytes.length;
  for (let index = 0; index < bytes.length; index += 1) {
    carry = Math.imul(carry ^ bytes[index]!, 0x01000193);
    lanes[index % WORDS]! ^= carry;
  }
  for (let index = 0; index < 2 * WORDS; index += 1) {
    carry = Math.imul((carry ^ lanes[index % WORDS]!) + 0x9e3779b9 + index, 0x85ebca6b);
    carry ^= carry >>> 13;
    lanes[index % WORDS] = carry;
  }
  return new Uint8Array(lanes.buffer);
};

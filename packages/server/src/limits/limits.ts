/** How much of a server others may use. */
export interface Limits {
  /** Connections at a time; the next is closed at once. */
  readonly maxConnections: number;
  /** Requests that are being answered at a time, of one holder of tokens, else of one address. */
  readonly maxRequests: number;
  /** Bytes of pushes and of answers to polls that are held in memory at a time, by all together. */
  readonly maxBufferedBytes: number;
}

export const DEFAULT_LIMITS: Limits = {
  maxConnections: 8_192,
  // A mount has seven and one for each permit. One holder may have many mounts, one address a proxy.
  maxRequests: 2_048,
  maxBufferedBytes: 256 * 1024 * 1024,
};

/** A client sends the head of a request within this time, or is cut off. */
export const HEAD_MS = 20_000;

/** And all of it within this. A longer upload goes on where it was cut. */
export const REQUEST_MS = 300_000;

/** A connection on which nothing moves for so long is cut; polls wait for less. */
export const SILENCE_MS = 120_000;

/** How much of a server others may use, and for how long. */
export interface Limits {
  /** Connections at a time; the next is closed at once. */
  readonly maxConnections: number;
  /** Requests that are being answered at a time, of one holder of tokens, else of one address. */
  readonly maxRequests: number;
  /** Bytes of pushes and of answers to polls that are held in memory at a time, by all together. */
  readonly maxBufferedBytes: number;
  /** A client sends the head of a request within this time, or is cut off. */
  readonly headMs: number;
  /** And all of it within this. A longer upload goes on where it was cut. */
  readonly requestMs: number;
  /** A connection on which nothing moves for so long is cut; polls wait for less. */
  readonly silenceMs: number;
}

export const DEFAULT_LIMITS: Limits = {
  maxConnections: 8_192,
  // A mount has seven and one for each permit. One holder may have many mounts, one address a proxy.
  maxRequests: 2_048,
  maxBufferedBytes: 256 * 1024 * 1024,
  headMs: 20_000,
  requestMs: 300_000,
  silenceMs: 120_000,
};

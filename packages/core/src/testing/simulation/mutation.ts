/**
 * Rules that the simulation can break on purpose, to show that it would notice (design §10). Each is broken
 * at a seam of the simulated server or client; the code of `core` is the real one.
 */
export const MUTATIONS = [
  "base moved by rebase",
  "optimizing after sending",
  "no victim version on removal",
  "no trace for an outcome",
  "no base check of a content",
  "acknowledged before the log is synced",
  "index committed before the log is synced",
  "tree changed before the intents are durable",
  "last_rcvd outside the transaction of the index",
  "position moved before the apply",
  "rebase skipped",
  "sent before the own log is synced",
  "snapshot drops what waits",
] as const;

export type Mutation = (typeof MUTATIONS)[number];

/** Tells whether this text names a mutation. */
export function isMutation(text: string): text is Mutation {
  return (MUTATIONS as readonly string[]).includes(text);
}

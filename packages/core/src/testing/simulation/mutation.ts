/** Rules that the simulation can break on purpose, to show that it would notice (design §10). */
export const MUTATIONS = [
  "base moved by rebase",
  "optimizing after sending",
  "no victim version on removal",
  "no trace for an outcome",
] as const;

export type Mutation = (typeof MUTATIONS)[number];

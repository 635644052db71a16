/** When the code of a mount is run before programs need it; see `warm-up.ts`. */
export const WARM_UP_CHOICES = ["idle", "off"] as const;
export type WarmUpChoice = (typeof WARM_UP_CHOICES)[number];

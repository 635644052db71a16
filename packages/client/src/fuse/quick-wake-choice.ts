/**
 * Whether cores are asked to be woken quickly while programs ask the mount often: where that costs little, always,
 * never. `docs/decisions/0019` says what it brings and costs.
 */
export const QUICK_WAKE_CHOICES = ["auto", "on", "off"] as const;

export type QuickWakeChoice = (typeof QUICK_WAKE_CHOICES)[number];

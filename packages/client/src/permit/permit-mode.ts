/**
 * Whether a mount writes without a permit.
 *
 * - `none`: always; what others did meanwhile is a conflict.
 * - `required`: only under a permit that its user takes; elsewhere it is read-only.
 * - `take-over`: as `required`, and it takes the permit of the whole fileset by itself, whenever nobody
 *   has it or the lease of its holder is over.
 */
export const PERMIT_MODES = ["none", "required", "take-over"] as const;

export type PermitMode = (typeof PERMIT_MODES)[number];

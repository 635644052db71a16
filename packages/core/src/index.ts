export { IzoError } from "./errors.ts";

// kml
export * from "./kml/identity.ts";
export * from "./kml/name.ts";
export * from "./kml/opcode.ts";
export type * from "./kml/operation.ts";
export * from "./kml/position.ts";
export * from "./kml/record.ts";

// replay
export * from "./replay/memory-state.ts";
export { OverlayState } from "./replay/overlay-state.ts";
export * from "./replay/path-of.ts";
export * from "./replay/replay.ts";
export type * from "./replay/state.ts";
export * from "./replay/tree-object.ts";

// reintegrate
export * from "./reintegrate/admit.ts";
export { conflictName } from "./reintegrate/conflict-name.ts";
export type { Decision } from "./reintegrate/decision.ts";
export { logDecision, type LogEnd } from "./reintegrate/log-decision.ts";
export * from "./reintegrate/outcome.ts";
export * from "./reintegrate/reintegrate.ts";
export { resolveOid, resolveOperation, type Resolution } from "./reintegrate/resolve.ts";

// optimize
export { optimize, type Optimized } from "./optimize/optimize.ts";

// sync
export * from "./sync/change-set.ts";
export { renumberPending } from "./sync/diverge.ts";
export * from "./sync/pending-log.ts";
export * from "./sync/replica.ts";

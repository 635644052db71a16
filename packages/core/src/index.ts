export { IzoError } from "./errors.ts";
export { allAtOnce, type InPieces } from "./in-pieces.ts";

// kml
export { ByteWriter } from "./kml/byte-writer.ts";
export { decodeRecord } from "./kml/decode-record.ts";
export type { Disk, DiskFile, DiskOpenMode } from "./kml/disk.ts";
export { encodeRecord, encodeRecordInto } from "./kml/encode-record.ts";
export { formatRecord } from "./kml/format-record.ts";
export { formatTimeNs } from "./kml/format-time.ts";
export * from "./kml/identity.ts";
export { InvalidRecordError } from "./kml/invalid-record-error.ts";
export { KmlDamageError, KmlVersionError, type DamageLocation } from "./kml/kml-damage-error.ts";
export type { KmlLog } from "./kml/kml-log.ts";
export { KmlAppendError, KmlBrokenError } from "./kml/kml-log-errors.ts";
export {
  type KmlReader,
  type ReadOptions,
  RecnoNotInLogError,
  type SegmentInfo,
} from "./kml/kml-reader.ts";
export * from "./kml/name.ts";
export * from "./kml/opcode.ts";
export * from "./kml/open-kml-log.ts";
export type * from "./kml/operation.ts";
export { OUTCOME_REASONS } from "./kml/outcome-reason.ts";
export { computeOriginCheck, type SentRecord } from "./kml/origin-check.ts";
export { InvalidPathError, parsePath } from "./kml/path.ts";
export * from "./kml/position.ts";
export { printable } from "./kml/printable.ts";
export * from "./kml/record.ts";
export { InvalidRecordJsonError, parseRecordJson, recordToJson } from "./kml/record-json.ts";
export { isAbout, recordPaths, toFilesetPath } from "./kml/record-paths.ts";
export { isReplicatedXattr } from "./kml/replicated-xattr.ts";
export { KML_VERSION, MAX_GROUPS, MAX_RECORD_BYTES, MAX_XATTR_BYTES } from "./kml/record-layout.ts";
export { type HashFunction, portableHash, RunningHash, startPosition } from "./kml/running-hash.ts";
export {
  type ByteSource,
  bytesSource,
  ScannedRecord,
  type ScanRange,
  scanRecords,
  scanRecordsBackwards,
} from "./kml/scan-records.ts";
export {
  encodeSegmentHeader,
  parseSegmentHeader,
  parseSegmentName,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
  segmentName,
} from "./kml/segment-header.ts";
export type { TornTail } from "./kml/torn-tail.ts";
export { type VerifiedSegment, verifyLog } from "./kml/verify-log.ts";

// metrics
export { Counter } from "./metrics/counter.ts";
export * from "./metrics/exposition.ts";
export { Histogram } from "./metrics/histogram.ts";
export { oneValue, processFamilies } from "./metrics/process-families.ts";

// replay
export { creationOf } from "./replay/creation.ts";
export { linkCount } from "./replay/link-count.ts";
export * from "./replay/memory-state.ts";
export { OverlayState } from "./replay/overlay-state.ts";
export * from "./replay/path-of.ts";
export { putSnapshotRow } from "./replay/put-snapshot-row.ts";
export * from "./replay/replay.ts";
export type * from "./replay/state.ts";
export { readStoredXattrs, writeStoredXattrs } from "./replay/stored-xattrs.ts";
export * from "./replay/tree-object.ts";
export { kindOfMode } from "./replay/kind-of-mode.ts";

// reintegrate
export * from "./reintegrate/admit.ts";
export { ChangeScope } from "./reintegrate/change-scope.ts";
export { ASIDE_DIRECTORY } from "./reintegrate/aside.ts";
export { conflictName, parseConflictName } from "./reintegrate/conflict-name.ts";
export * from "./reintegrate/conflict-policy.ts";
export { keptPathOf, originalPathOf } from "./reintegrate/decided-path.ts";
export { refused, type Decision } from "./reintegrate/decision.ts";
export { logDecision, type LogEnd } from "./reintegrate/log-decision.ts";
export * from "./reintegrate/outcome.ts";
export * from "./reintegrate/reintegrate.ts";
export * from "./reintegrate/standing-conflict.ts";
export { resolveOid, resolveOperation, type Resolution } from "./reintegrate/resolve.ts";

// optimize
export { basesOf, dependenciesOf, withBases } from "./optimize/dependencies.ts";
export { optimize, type Optimized } from "./optimize/optimize.ts";

// history
export * from "./history/diff-trees.ts";

// undo
export { recordAuthors } from "./undo/record-authors.ts";
export { planUndo, type UndoInput } from "./undo/plan-undo.ts";
export * from "./undo/undo-plan.ts";

// permit
export * from "./permit/permit-holder.ts";
export * from "./permit/permit-table.ts";
export * from "./permit/permit.ts";

// sync
export { MAX_RETRY_DELAY_MS, retryDelayMs } from "./sync/backoff.ts";
export * from "./sync/change-set.ts";
export { changesBetween, type Differing } from "./sync/changes-between.ts";
export { forgottenObjects } from "./sync/forgotten-objects.ts";
export {
  type ConnectionEvent,
  type ConnectionName,
  type ConnectionState,
  mayPush,
  nextState,
  START as CONNECTION_START,
} from "./sync/connection.ts";
export { RecentWork } from "./sync/recent-work.ts";
export { renumberPending } from "./sync/diverge.ts";
export { loadPending } from "./sync/load-pending.ts";
export {
  HELD_REMOVAL_PERCENT,
  isMassRemoval,
  mayBeMassRemoval,
  removalExtent,
  removalExtentInPieces,
  type RemovalExtent,
} from "./sync/mass-removal.ts";
export * from "./sync/pending-log.ts";
export { predictPush, type Prediction, type PredictionContext } from "./sync/predict-push.ts";
export * from "./sync/pending-record.ts";
export * from "./sync/replica.ts";
export { salvage } from "./sync/salvage.ts";
export { SnapshotTreeCheck } from "./sync/snapshot-tree-check.ts";
export { withUnfilledRemovals } from "./sync/unfilled-removals.ts";
export { withoutHeld, withoutHeldInPieces } from "./sync/without-held.ts";

// wire
export * from "./wire/access-token.ts";
export * from "./wire/byte-range.ts";
export * from "./wire/conflicts-message.ts";
export * from "./wire/content-pack-message.ts";
export * from "./wire/events-message.ts";
export { parseFilesPath, writeFilesPath } from "./wire/files-path.ts";
export type * from "./wire/fileset-profile.ts";
export * from "./wire/history-message.ts";
export { writeJsonLine } from "./wire/json-lines.ts";
export { isLoopback } from "./wire/is-loopback.ts";
export * from "./wire/limits.ts";
export * from "./wire/listing-message.ts";
export * from "./wire/log-place.ts";
export * from "./wire/peer-header.ts";
export * from "./wire/peers-message.ts";
export * from "./wire/permit-message.ts";
export * from "./wire/poll-contents-message.ts";
export * from "./wire/poll-message.ts";
export * from "./wire/position-message.ts";
export * from "./wire/problem.ts";
export * from "./wire/profile-message.ts";
export { checkProtocolVersion } from "./wire/protocol-version.ts";
export * from "./wire/protocol.ts";
export type * from "./wire/reintegrate-batch.ts";
export * from "./wire/reintegrate-message.ts";
export * from "./wire/route.ts";
export * from "./wire/snapshot-message.ts";
export type * from "./wire/snapshot-row.ts";
export * from "./wire/status-message.ts";
export * from "./wire/upload-message.ts";
export { WireFormatError } from "./wire/wire-format-error.ts";

// text
export { IgnoreRules, NO_RULES } from "./text/ignore-rules.ts";
export { compilePattern, InvalidPatternError } from "./text/path-pattern.ts";
export { formatAge, formatBytes, formatCount } from "./text/quantity.ts";

import { CONFLICT_POLICIES, OUTCOME_REASONS, PEER_STATES, PROBLEMS } from "@izo/core";
import { z } from "zod";

/** Forms of the JSON answers, for the OpenAPI document. The writers are in `@izo/core`, wire. */

const recno = z.int().min(0);
const id = z.string().regex(/^[0-9a-f]{32}$/);
const hash = z.string().regex(/^[0-9a-f]{64}$/);
const position = z.string().regex(/^[0-9]+\/[0-9a-f]{64}$/);

export const filesetsAnswer = z.object({
  filesets: z.array(z.object({ name: z.string(), id })),
});

export const profileAnswer = z.object({
  protocol: z.int(),
  id,
  name: z.string(),
  serverPeer: id,
  head: position,
  oldestRecno: recno,
  limits: z.object({
    inlineBytes: z.int(),
    pushRecords: z.int(),
    pushBytes: z.int(),
    pollRecords: z.int(),
    pollWaitSeconds: z.int(),
    packRecnos: z.int(),
  }),
  conflictPolicies: z.array(z.object({ path: z.string(), policy: z.enum(CONFLICT_POLICIES) })),
  heldRemovalPercent: z.int().min(1).max(100),
  changesBelow: z.string().nullable(),
  features: z.array(z.string()),
});

export const statusAnswer = z.object({
  filesetName: z.string(),
  filesetId: id,
  serverPeer: id,
  headRecno: recno,
  oldestRecno: recno,
  files: z.int().min(0),
  bytes: z.int().min(0),
  logBytes: z.int().min(0),
  oldContents: z.object({ count: z.int().min(0), bytes: z.int().min(0) }),
  peers: z.array(
    z.object({
      peer: id,
      host: z.string(),
      receivedRecno: recno,
      replayedRecno: recno,
      lastSeenMs: z.int(),
    }),
  ),
  watching: z.enum(["inotify", "scanning", "off"]),
  heldRemoval: z.object({ removed: z.int(), objects: z.int() }).nullable(),
  problems: z.array(z.object({ path: z.string(), message: z.string() })),
});

export const peersAnswer = z.object({
  peers: z.array(
    z.object({
      peer: id,
      host: z.string(),
      state: z.enum(PEER_STATES),
      lastSeenMs: z.int(),
      replayedRecno: recno,
      lagRecords: z.int().min(0),
      lagMs: z.int().min(0).nullable(),
      receivedRecno: recno,
      unseenOutcomes: z.int().min(0),
      isKeptFor: z.boolean(),
    }),
  ),
});

const conflictSide = z.object({
  oid: id,
  path: z.string(),
  kind: z.enum(["file", "directory", "symlink", "special"]),
  sizeBytes: z.int().min(0),
  sha256: hash.nullable(),
});

export const conflictsAnswer = z.object({
  conflicts: z.array(
    z.object({
      copy: conflictSide,
      original: conflictSide.nullable(),
      host: z.string(),
      time: z.string(),
      base: recno,
      ours: hash.nullable(),
      theirs: hash.nullable(),
      ancestor: z
        .object({ sha256: hash, sizeBytes: z.int().min(0), isKept: z.boolean() })
        .nullable(),
      record: z
        .object({
          recno,
          origin: z.object({ peer: id, recno }),
          uid: z.int(),
          command: z.string(),
        })
        .nullable(),
    }),
  ),
});

export const positionAnswer = z.object({ position });

export const segmentsAnswer = z.object({
  segments: z.array(
    z.object({ first: recno, last: recno, sizeBytes: z.int().min(0), isSealed: z.boolean() }),
  ),
});

const fileFields = {
  oid: id,
  kind: z.enum(["file", "directory", "symlink", "special"]),
  mode: z.int(),
  uid: z.int(),
  gid: z.int(),
  mtimeNs: z.string().regex(/^-?[0-9]+$/),
  sizeBytes: z.int().optional(),
  sha256: hash.nullable().optional(),
  contentVersion: recno.optional(),
  target: z.string().optional(),
  rdev: z.int().optional(),
  xattrs: z.array(z.object({ name: z.string(), value: z.base64() })).optional(),
};

export const listingAnswer = z.object({
  path: z.string(),
  at: recno.nullable(),
  ...fileFields,
  entries: z.array(z.object({ name: z.string(), ...fileFields })),
});

/** A record as `recordToJson` writes it; what its operation holds is in docs/formats/kml.md. */
const loggedRecord = z.object({
  recno,
  opcode: z.string(),
  authorTime: z.string(),
  authorTimeNs: z.string(),
  logTime: z.string(),
  logTimeNs: z.string(),
  origin: z.object({ peer: id, recno, check: z.string() }),
  actor: z.object({
    uid: z.int(),
    gid: z.int(),
    groups: z.array(z.int()),
    command: z.string(),
  }),
  operation: z.looseObject({ opcode: z.string() }),
});

export const historyAnswer = z.object({
  holders: z.array(z.object({ oid: id, kind: fileFields.kind, from: recno, to: recno.nullable() })),
  records: z.array(loggedRecord),
  next: recno.nullable(),
});

export const blameAnswer = z.object({
  path: z.string(),
  entries: z.array(
    z.object({
      name: z.string(),
      oid: id,
      kind: fileFields.kind,
      recno,
      record: loggedRecord.nullable(),
    }),
  ),
});

export const reintegrateAnswer = z.object({
  head: position,
  results: z.array(
    z.object({
      originRecno: recno,
      verdict: z.enum(["applied", "merged", "copied", "refused"]),
      reason: z.enum(Object.keys(OUTCOME_REASONS)).nullable(),
      trace: recno,
    }),
  ),
});

export const permitAnswer = z.object({
  lease: z
    .object({
      oid: id,
      epoch: z.int().min(0),
      leaseMs: z.int().min(0),
      recno,
      isWanted: z.boolean(),
    })
    .nullable(),
});

export const permitsAnswer = z.object({
  permits: z.array(
    z.object({
      oid: id,
      epoch: z.int().min(0),
      path: z.string(),
      peer: id,
      host: z.string(),
      leaseMs: z.int().min(0),
      wantedBy: z.string().nullable(),
    }),
  ),
});

export const healthAnswer = z.object({ status: z.literal("ok") });

export const problemAnswer = z.object({
  type: z.string().startsWith("urn:izo:problem:"),
  title: z.string(),
  status: z.int().min(400).max(599),
  detail: z.string(),
  code: z.enum(Object.keys(PROBLEMS)),
  data: z.record(z.string(), z.unknown()),
});

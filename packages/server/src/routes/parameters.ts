import {
  EVENTS_HEARTBEAT_SECONDS,
  type LogPlace,
  MAX_HISTORY_RECORDS,
  MAX_PACK_RECNOS,
  MAX_POLL_RECORDS,
  MAX_POLL_WAIT_SECONDS,
  type Oid,
  type Opcode,
  OPCODES,
  parseLogPlace,
  parsePosition,
  type PeerId,
  type Position,
  type Recno,
  type Sha256,
} from "@izo/core";
import { z } from "zod";

/** What stands in queries and paths, as schemas: the OpenAPI document is made of the same ones. */

const recnoText = z
  .string()
  .regex(/^\d{1,15}$/, "expected a recno")
  .meta({ description: "Number of a record", examples: ["41"] })
  .transform((text) => Number(text) as Recno);

const positionText = z
  .string()
  .meta({ description: "A position: recno/hash", examples: [`41/${"9f".repeat(32)}`] })
  .transform((text, context): Position => {
    try {
      return parsePosition(text);
    } catch {
      context.addIssue({
        code: "custom",
        message: 'expected a position, "recno/hash" as in "41/9f3c…" with 64 digits',
        params: { code: "invalid-position" },
      });
      return z.NEVER;
    }
  });

const placeText = z
  .string()
  .meta({
    description: "A place in the log: behind a record, or behind the last one of a log time",
    examples: ["41", "@2026-01-02T03:04:05Z"],
  })
  .transform((text, context): LogPlace => {
    try {
      return parseLogPlace(text);
    } catch {
      context.addIssue({
        code: "custom",
        message: 'expected a recno, or "@" and a time as in "@2026-01-02T03:04:05Z"',
      });
      return z.NEVER;
    }
  });

const oidText = z
  .string()
  .meta({ description: "Id of an object: 32 hexadecimal digits" })
  .regex(/^[0-9a-f]{32}$/, "expected 32 hexadecimal digits")
  .transform((text) => text as Oid);

const peerText = z
  .string()
  .meta({ description: "Id of a peer: 32 hexadecimal digits" })
  .regex(/^[0-9a-f]{32}$/, "expected 32 hexadecimal digits")
  .transform((text) => text as PeerId);

const sha256Text = z
  .string()
  .meta({ description: "SHA-256 of a content: 64 hexadecimal digits" })
  .regex(/^[0-9a-f]{64}$/, "expected 64 hexadecimal digits")
  .transform((text) => text as Sha256);

/** A number in a query, clamped to what the server does: asking for more is no error. */
function boundedText(max: number, description: string) {
  return z
    .string()
    .regex(/^\d{1,9}(\.\d{1,3})?$/, "expected a number")
    .meta({ description: `${description}; at most ${max}` })
    .transform((text) => Math.min(Number(text), max));
}

export const pollQuery = z.strictObject({
  after: positionText,
  wait: boundedText(MAX_POLL_WAIT_SECONDS, "Seconds to wait while there is nothing").default(0),
  limit: boundedText(MAX_POLL_RECORDS, "Most records of the answer").default(MAX_POLL_RECORDS),
});

/** Operations by their names, `op=CLOSE&op=RENAME` or `op=CLOSE,RENAME`. */
const opcodesText = z
  .union([z.string(), z.array(z.string())])
  .meta({ description: "Names of operations, with commas between them" })
  .transform((texts) => [texts].flat().flatMap((text) => text.split(",")))
  .pipe(z.array(z.enum(Object.keys(OPCODES) as Opcode[])));

export const eventsQuery = z.strictObject({
  after: positionText.optional(),
  /** Read from the URL as it came: names are bytes. */
  path: z.string().meta({ description: "Only records about this path, or below it" }).optional(),
  op: opcodesText.optional(),
  heartbeat: boundedText(
    MAX_POLL_WAIT_SECONDS,
    "Seconds after which a silent feed says where it is",
  )
    .transform((seconds) => Math.max(1, seconds))
    .default(EVENTS_HEARTBEAT_SECONDS),
});

export const snapshotQuery = z.strictObject({
  peer: peerText.optional(),
});

export const contentPackQuery = z
  .strictObject({ after: recnoText, until: recnoText })
  .refine(({ after, until }) => until > after && until - after <= MAX_PACK_RECNOS, {
    message: `expected "until" at most ${MAX_PACK_RECNOS} records behind "after"`,
  });

export const treeQuery = z.strictObject({ at: placeText, against: placeText.optional() });

/** For what is shown of the present tree, or of an earlier one. */
export const atQuery = z.strictObject({ at: placeText.optional() });

const historyPage = {
  after: recnoText.default(0 as Recno),
  limit: boundedText(MAX_HISTORY_RECORDS, "Most records of the answer")
    .transform((limit) => Math.max(1, Math.trunc(limit)))
    .default(MAX_HISTORY_RECORDS),
};
export const historyQuery = z.strictObject({ oid: oidText, ...historyPage });
export const pathHistoryQuery = z.strictObject(historyPage);

export const filesetParameters = z.object({
  fileset: z.string().meta({ description: "Name of the fileset", examples: ["rootfset"] }),
});
export const segmentParameters = filesetParameters.extend({ first: recnoText });
export const positionParameters = filesetParameters.extend({ recno: recnoText });
export const contentParameters = filesetParameters.extend({ sha256: sha256Text });

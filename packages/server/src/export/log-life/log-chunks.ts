import {
  isSamePosition,
  type KmlLog,
  type Position,
  type Recno,
  RecnoNotInLogError,
  RunningHash,
  type ServerRecord,
} from "@izo/core";

import { LogDivergedError, LogTruncatedError } from "../errors.ts";
import type { LogChunk, LogLimits } from "../export.ts";
import { sha256 } from "../open-fileset.ts";

/** What a chunk of the log holds at most unless the caller wants less. */
const CHUNK_BYTES = 4 * 1024 * 1024;

/** A larger one is not kept for the next who asks. */
const KEPT_BYTES = 256 * 1024;

interface KeptChunk {
  readonly after: Position;
  readonly head: Recno;
  readonly limits: LogLimits;
  readonly chunk: LogChunk;
}

/** The log as clients read it: in chunks behind positions that have to be its own. */
export class LogChunks {
  readonly #log: KmlLog;
  readonly #head: () => Position;
  /** Clients that wait do so behind one record, and all ask for the next at once. */
  #kept: KeptChunk | null = null;

  /** @param head the position up to which it is read */
  constructor(log: KmlLog, head: () => Position) {
    this.#log = log;
    this.#head = head;
  }

  /** @throws LogDivergedError, LogTruncatedError */
  read(after: Position, limits: LogLimits): LogChunk {
    const head = this.#head().recno;
    if (this.#kept !== null && isSameQuestion(this.#kept, { after, head, limits }))
      return this.#kept.chunk;
    if (after.recno > head || !this.#isOwnPosition(after))
      throw new LogDivergedError(after, this.#head());
    const chunk = this.#readChunk(after, head, limits);
    const isKept = chunk.count > 0 && chunk.bytes.length <= KEPT_BYTES;
    if (isKept) this.#kept = { after, head, limits: { ...limits }, chunk };
    return chunk;
  }

  /** @throws LogTruncatedError */
  positionAt(recno: Recno): Position {
    if (recno < this.#log.oldest - 1) throw new LogTruncatedError(recno, this.#log.oldest);
    return this.#log.positionAt(recno);
  }

  #readChunk(after: Position, upTo: Recno, limits: LogLimits): LogChunk {
    const { limitRecords = Infinity, limitBytes = CHUNK_BYTES } = limits;
    const scanned = [...this.#log.read(after.recno, { limitRecords, limitBytes, upTo })];
    const last = scanned.at(-1);
    return {
      bytes: Buffer.concat(scanned.map(({ bytes }) => bytes)),
      count: scanned.length,
      last: last === undefined ? after : this.#log.positionAt(last.recno),
      records: function* () {
        for (const record of scanned) yield record.decode() as ServerRecord;
      },
      steps: function* () {
        const running = new RunningHash(after.hash, sha256);
        for (const record of scanned) {
          running.extend(record.bytes);
          const position = { recno: record.recno, hash: running.digits() };
          yield { record: record.decode() as ServerRecord, position };
        }
      },
    };
  }

  #isOwnPosition(after: Position): boolean {
    try {
      return this.#log.positionAt(after.recno).hash === after.hash;
    } catch (error) {
      if (!(error instanceof RecnoNotInLogError)) throw error;
      throw new LogTruncatedError(after.recno, this.#log.oldest);
    }
  }
}

function isSameQuestion(a: Omit<KeptChunk, "chunk">, b: Omit<KeptChunk, "chunk">): boolean {
  return (
    a.head === b.head &&
    isSamePosition(a.after, b.after) &&
    a.limits.limitRecords === b.limits.limitRecords &&
    a.limits.limitBytes === b.limits.limitBytes
  );
}

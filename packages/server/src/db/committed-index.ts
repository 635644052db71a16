import type { Connection } from "./connection.ts";
import { DiskNotes } from "./disk-notes.ts";
import { openReader } from "./open-index.ts";
import { SqlState } from "./sql-state.ts";

/**
 * The index as it is committed: durable, and what the disk looked like when no batch is being applied.
 * Everybody but the queue reads here; the queue does for the time before its batch.
 */
export class CommittedIndex implements Disposable {
  readonly connection: Connection;
  readonly state: SqlState;
  readonly notes: DiskNotes;

  constructor(path: string) {
    this.connection = openReader(path);
    this.state = new SqlState(this.connection);
    this.notes = new DiskNotes(this.connection);
  }

  [Symbol.dispose](): void {
    this.connection.close();
  }
}

import {
  NO_CHECK,
  NO_RECNO,
  type PeerId,
  type Position,
  type ReceivedMark,
  type Recno,
  type Sha256,
} from "@izo/core";

import { desc, eq, sql } from "./drizzle.ts";
import { idBytes } from "./object-row.ts";
import type { ClientIndex } from "./open-index.ts";
import { positions, standing } from "./schema.ts";

/** Where the authoritative state stands. */
export interface Standing {
  readonly position: Position;
  /** The last own record whose trace was replayed; recno 0 for none. */
  readonly acknowledged: ReceivedMark;
}

/** No own record is acknowledged yet. */
export const NOTHING_ACKNOWLEDGED: ReceivedMark = { recno: NO_RECNO, check: NO_CHECK };

/** Past positions that are kept at most, before half of the older ones go. */
const KEPT_POSITIONS = 256;

/** Reads and moves the position. The caller wraps a move into the transaction that changes the tree. */
export class StandingTable {
  readonly #orm: ClientIndex["orm"];
  readonly #sqlite: ClientIndex["sqlite"];
  #moves: ReturnType<typeof prepareMoves> | undefined;

  constructor({ orm, sqlite }: Pick<ClientIndex, "orm" | "sqlite">) {
    this.#orm = orm;
    this.#sqlite = sqlite;
  }

  /** Where the state stands, as the peer `own` sees it; undefined before the first snapshot. */
  read(own: PeerId): Standing | undefined {
    const row = this.#orm.select().from(standing).get();
    if (row === undefined) return undefined;
    const isOwn = row.acknowledgedPeer.toString("hex") === own;
    return {
      position: { recno: row.recno as Recno, hash: row.hash.toString("hex") as Sha256 },
      acknowledged: isOwn
        ? { recno: row.acknowledgedRecno as Recno, check: row.acknowledgedCheck }
        : NOTHING_ACKNOWLEDGED,
    };
  }

  write({ position, acknowledged }: Standing, own: PeerId): void {
    const moves = (this.#moves ??= prepareMoves(this.#sqlite));
    const { recno } = position;
    const hash = idBytes(position.hash);
    moves.stand.run(recno, hash, idBytes(own), acknowledged.recno, acknowledged.check);
    moves.remember.run(recno, hash);
    if (moves.count.get()! > KEPT_POSITIONS) this.#thinOut();
  }

  /** Positions where the state has stood, newest first: dense lately, sparse long ago. */
  past(): Position[] {
    return this.#orm
      .select()
      .from(positions)
      .orderBy(desc(positions.recno))
      .all()
      .map((row) => ({ recno: row.recno as Recno, hash: row.hash.toString("hex") as Sha256 }));
  }

  /** Forgets positions beyond `common`: they were places of a log that is lost. */
  forgetBeyond(common: Recno): void {
    this.#orm
      .delete(positions)
      .where(sql`${positions.recno} > ${common}`)
      .run();
  }

  /** Drops every second of the older three quarters, so that the gaps double with age. */
  #thinOut(): void {
    const kept = this.#orm
      .select({ recno: positions.recno })
      .from(positions)
      .orderBy(positions.recno)
      .all();
    for (const [index, { recno }] of kept.slice(0, (KEPT_POSITIONS * 3) / 4).entries()) {
      if (index % 2 === 1) this.#orm.delete(positions).where(eq(positions.recno, recno)).run();
    }
  }
}

/** Prepared: each pull moves the position, on the thread that answers programs. */
function prepareMoves(sqlite: ClientIndex["sqlite"]) {
  return {
    stand: sqlite.prepare(
      "INSERT OR REPLACE INTO standing (id, recno, hash, acknowledged_peer, acknowledged_recno, acknowledged_check) VALUES (1, ?, ?, ?, ?, ?)",
    ),
    remember: sqlite.prepare("INSERT OR REPLACE INTO positions (recno, hash) VALUES (?, ?)"),
    count: sqlite.prepare<[], number>("SELECT count(*) FROM positions").pluck(),
  };
}

import { eachInPieces, type InPieces } from "../in-pieces.ts";
import type { Recno } from "../kml/identity.ts";
import { HeldRecords } from "../optimize/dependencies.ts";
import { type Optimization, type Optimized, optimizeInPieces } from "../optimize/optimize.ts";
import type { PendingRecord } from "./pending-record.ts";

/** When so much of what was looked at was sent, or is otherwise, what has changed since is looked at as well. */
const LOOK_AGAIN_AT = 1 / 8;

/**
 * What of the records that wait can be sent, as of one look at all of them (design C8, P3): all but CLOSEs
 * that wait for their content to be sealed, and what depends on such.
 *
 * A hundred thousand records may wait, and to look at them all for each batch that is sent would take the
 * square of that. So it is sent in parts. What is recorded meanwhile waits for the next look; where it
 * makes another of what is still to be sent, that look is due at once.
 */
export class Sendable {
  readonly #records: readonly PendingRecord[];
  readonly #lastRecno: Recno;
  #optimization: Optimization | null = null;
  /** All before it was sent. */
  #from = 0;
  #sent = 0;
  #changes = 0;
  #isWrong = false;
  /** What was recorded during the look. */
  #added: PendingRecord[] = [];

  /** @param records all that waits, unsent, in the order of their making */
  constructor(records: readonly PendingRecord[]) {
    this.#records = records;
    this.#lastRecno = records.at(-1)?.recno ?? (0 as Recno);
  }

  /** Looks at them, with pauses: to be told meanwhile of what happens, as afterwards. */
  *look(follow: (record: PendingRecord) => PendingRecord): InPieces<void> {
    const held = new HeldRecords();
    const ready: PendingRecord[] = [];
    const waiting: PendingRecord[] = [];
    yield* eachInPieces(this.#records, (each) => {
      const record = follow(each);
      const { operation, recno } = record;
      if (isOpen(record) || held.holds(operation)) {
        held.hold(operation, [recno]);
        waiting.push(record);
      } else ready.push(record);
    });
    const added = this.#added;
    const optimization = yield* optimizeInPieces(ready, inTurn(waiting, added));
    this.#isWrong ||= added.some(optimization.isOtherWith);
    this.#added = [];
    this.#optimization = optimization;
  }

  /** Something that was recorded, sealed or taken back since is not in it. */
  get isBehind(): boolean {
    return this.#changes > 0;
  }

  /** What is left of it must not be sent like this. */
  get isWrong(): boolean {
    return this.#isWrong;
  }

  /** Another look is worth it, or necessary. */
  get isDue(): boolean {
    const isMuch = this.#changes + this.#sent >= this.#records.length * LOOK_AGAIN_AT;
    return this.#isWrong || (this.isBehind && isMuch);
  }

  noteAdded(record: PendingRecord): void {
    this.#changes += 1;
    if (this.#optimization === null) this.#added.push(record);
    else this.#isWrong ||= this.#optimization.isOtherWith(record);
  }

  noteSealed(): void {
    this.#changes += 1;
  }

  /** What was open was not to be sent, and what it holds is freed by the next look. */
  noteCancelled(record: PendingRecord): void {
    this.#changes += 1;
    this.#isWrong ||= record.recno <= this.#lastRecno && !isOpen(record);
  }

  noteSent(covered: number): void {
    this.#sent += covered;
  }

  /** What was not sent yet. @param isUnsent tells it of an own record */
  *rest(isUnsent: (recno: Recno) => boolean): Generator<Optimized, void> {
    const optimized = this.#optimization?.optimized ?? [];
    const isLeft = (index: number): boolean => isUnsent(optimized[index]!.covers[0]!);
    while (this.#from < optimized.length && !isLeft(this.#from)) this.#from += 1;
    for (let index = this.#from; index < optimized.length; index += 1)
      if (isLeft(index)) yield optimized[index]!;
  }
}

function isOpen({ operation }: PendingRecord): boolean {
  return operation.opcode === "CLOSE" && operation.sha256 === null;
}

function* inTurn<T>(...lists: readonly Iterable<T>[]): Generator<T, void> {
  for (const list of lists) yield* list;
}

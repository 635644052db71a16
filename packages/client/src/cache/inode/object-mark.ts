/**
 * What every inode of the cache tree says of itself: which object it is, and what of it is here
 * (design C4). It is one extended attribute (which, says `InodeForm`), so no crash can part the fact from the inode: it moves
 * with it, is replaced with it and is gone with it, and a tree of which no process knows anything any
 * more explains itself to the next one.
 *
 * A missing mark means "not here" until the bytes prove something else (`recovery/`), so the zeros of a
 * placeholder are never shown as content. A cache that has lost all marks is refused (`open-root.ts`).
 *
 * Layout: state (1 byte, two for local content: one says that it was synced), oid (16), then for
 * content its SHA-256 (32), for local content the version it is based on: recno (8, big-endian) and peer (16, zeros where the recno is the server's). At most
 * 49 bytes, because ext4 keeps about 90 in an inode of 256 and takes a block of its own beyond that.
 */
import type { Base, Oid, PeerId, Recno, Sha256 } from "@izo/core";

/**
 * What of an object an inode holds:
 *
 * - `absent`: a placeholder with the right size and times and no content; a directory whose entries
 *   were not made yet;
 * - `whole`: all there is: a directory with all its entries, a symlink, a special file;
 * - `content`: exactly the content with this hash;
 * - `local`: content that was made here, starting from the version `base`. It may differ from what was
 *   logged last, so a crash finds here what a write began (design D9).
 */
export type Holding =
  | { readonly state: "absent" }
  | { readonly state: "whole" }
  | { readonly state: "content"; readonly sha256: Sha256 }
  | LocalHolding;

export interface LocalHolding {
  readonly state: "local";
  readonly base: Base;
  /**
   * A content that was made here was synced since this one began. After a power cut the file can be
   * empty, because more was written; nothing that is older than what was synced may come back.
   */
  readonly isSynced?: true;
}

export interface ObjectMark {
  readonly oid: Oid;
  readonly holding: Holding;
}

const STATES = ["absent", "whole", "content", "local", "synced"] as const;
const MARK_BYTES = { absent: 17, whole: 17, content: 49, local: 41, synced: 41 } as const;
const NO_PEER = "0".repeat(32);

/** 2^32. */
const WORD = 0x1_0000_0000;

export const ABSENT: Holding = { state: "absent" };
export const WHOLE: Holding = { state: "whole" };

export function formatMark({ oid, holding }: ObjectMark): Buffer {
  const isSynced = holding.state === "local" && holding.isSynced === true;
  const state = isSynced ? "synced" : holding.state;
  const bytes = Buffer.alloc(MARK_BYTES[state]);
  bytes[0] = STATES.indexOf(state);
  bytes.write(oid, 1, "hex");
  if (holding.state === "content") bytes.write(holding.sha256, 17, "hex");
  if (holding.state !== "local") return bytes;
  const { base } = holding;
  const recno = typeof base === "number" ? base : base.recno;
  bytes.writeUInt32BE(Math.floor(recno / WORD), 17);
  bytes.writeUInt32BE(recno % WORD, 21);
  if (typeof base !== "number") bytes.write(base.peer, 25, "hex");
  return bytes;
}

/** Undefined for bytes that are no mark: then nothing is known of the inode. */
export function parseMark(bytes: Buffer): ObjectMark | undefined {
  const state = STATES[bytes[0] ?? STATES.length];
  if (state === undefined || bytes.length !== MARK_BYTES[state]) return undefined;
  const oid = bytes.toString("hex", 1, 17) as Oid;
  switch (state) {
    case "absent":
    case "whole":
      return { oid, holding: { state } };
    case "content":
      return { oid, holding: { state, sha256: bytes.toString("hex", 17) as Sha256 } };
    case "local":
    case "synced": {
      const recno = Number(bytes.readBigUInt64BE(17)) as Recno;
      const peer = bytes.toString("hex", 25) as PeerId;
      const base = peer === NO_PEER ? recno : { peer, recno };
      const local: Holding = { state: "local", base };
      return { oid, holding: state === "local" ? local : { ...local, isSynced: true } };
    }
  }
}

/** What an inode holds next: a sync of local content is remembered for as long as it holds such. */
export function nextHolding(before: Holding, next: Holding): Holding {
  if (before.state !== "local" || before.isSynced !== true || next.state !== "local") return next;
  return { ...next, isSynced: true };
}

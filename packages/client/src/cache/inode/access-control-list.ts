/**
 * Access control lists as extended attributes carry them (linux/posix_acl_xattr.h, acl(5)), and how they
 * and the mode of an inode go together.
 *
 * ```
 * version u32 = 2, then of each entry: tag u16, permissions u16, id u32; little-endian
 * ```
 */

export const ACCESS_ACL = "system.posix_acl_access";
export const DEFAULT_ACL = "system.posix_acl_default";

const VERSION = 2;
const HEADER_BYTES = 4;
const ENTRY_BYTES = 8;
const ALL = 0o7;

/** Tags of entries. Those of the owner, the group and others, and the mask, are there once; the rest name somebody. */
const TAG = { owner: 0x01, group: 0x04, mask: 0x10, other: 0x20 } as const;

/** The entry that each part of the permission bits stands for: the group's stand for the mask where there is one. */
interface Parts {
  readonly owner: number;
  readonly group: number;
  readonly other: number;
}

/** Where in a list the permissions are that are also in the mode, as offsets; undefined for what is no list. */
function findParts(list: Buffer): Parts | undefined {
  const isWhole = list.length > HEADER_BYTES && (list.length - HEADER_BYTES) % ENTRY_BYTES === 0;
  if (!isWhole || list.readUInt32LE() !== VERSION) return undefined;
  const at = new Map<number, number>();
  for (let offset = HEADER_BYTES; offset < list.length; offset += ENTRY_BYTES) {
    at.set(list.readUInt16LE(offset), offset + 2);
  }
  const [owner, other] = [at.get(TAG.owner), at.get(TAG.other)];
  const group = at.get(TAG.mask) ?? at.get(TAG.group);
  if (owner === undefined || group === undefined || other === undefined) return undefined;
  return { owner, group, other };
}

function partsOf(list: Buffer): Parts {
  const parts = findParts(list);
  if (parts !== undefined) return parts;
  throw new Error("Cannot use an access control list: it is none");
}

/** Whether these bytes are a list at all. */
export function isList(bytes: Buffer): boolean {
  return findParts(bytes) !== undefined;
}

/** Whether a list says no more than the permission bits of a mode can. */
export function isModeOnly(list: Buffer): boolean {
  return list.length === HEADER_BYTES + 3 * ENTRY_BYTES;
}

/** The permission bits of a file that has this list. */
export function modeOf(list: Buffer): number {
  const { owner, group, other } = partsOf(list);
  const at = (offset: number): number => list.readUInt16LE(offset) & ALL;
  return (at(owner) << 6) | (at(group) << 3) | at(other);
}

/** The list that chmod(2) leaves. */
export function withMode(list: Buffer, mode: number): Buffer {
  const changed = Buffer.from(list);
  const { owner, group, other } = partsOf(changed);
  changed.writeUInt16LE((mode >> 6) & ALL, owner);
  changed.writeUInt16LE((mode >> 3) & ALL, group);
  changed.writeUInt16LE(mode & ALL, other);
  return changed;
}

/**
 * What a new entry inherits of its directory's default list: its permission bits, and its list, undefined
 * where the bits say it all. The umask does not count then.
 */
export function inherit(
  defaults: Buffer,
  mode: number,
): { readonly mode: number; readonly list: Buffer | undefined } {
  const permitted = mode & modeOf(defaults);
  const list = isModeOnly(defaults) ? undefined : withMode(defaults, permitted);
  return { mode: (mode & ~0o777) | permitted, list };
}

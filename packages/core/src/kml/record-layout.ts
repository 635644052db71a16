/**
 * Where things stand in a record, and how large they may be. The tables are in `docs/formats/kml.md`;
 * a change of any of this bumps {@link KML_VERSION}.
 */

/** Version of the bytes of records and segment headers. */
export const KML_VERSION = 1;

/** Total length u32, opcode u16, version u8, flags u8. */
export const PREFIX_BYTES = 8;
export const VERSION_OFFSET = 6;
export const FLAGS_OFFSET = 7;
export const RECNO_OFFSET = 8;

/** CRC-32C u32, total length u32. */
export const SUFFIX_BYTES = 8;

/** Prefix, the common part without groups and command, and suffix: no record is shorter. */
export const MIN_RECORD_BYTES = PREFIX_BYTES + 69 + SUFFIX_BYTES;

/** Longest record; what claims to be longer is damage and is not read into memory. */
export const MAX_RECORD_BYTES = 1024 * 1024;

/** Longest value of an extended attribute: `XATTR_SIZE_MAX` of `linux/limits.h`. */
export const MAX_XATTR_BYTES = 64 * 1024;

/** Most supplementary groups of a process: `NGROUPS_MAX` of `linux/limits.h`. */
export const MAX_GROUPS = 65_536;

/**
 * Numbers of the operations (design D5). Up to 16 as in the original's `intermezzo_idl.h`; OPEN (10),
 * WRITE (12), RELEASE (13), TRUNC (14), KML_TRUNC (17) and GET_FILEID (18) were never records of its
 * log and stay unused. From 32 our own in the server's log, from 48 those of a client's own log only.
 */
export const OPCODES = {
  NOOP: 0,
  CREATE: 1,
  MKDIR: 2,
  UNLINK: 3,
  RMDIR: 4,
  CLOSE: 5,
  SYMLINK: 6,
  RENAME: 7,
  SETATTR: 8,
  LINK: 9,
  MKNOD: 11,
  SETEXTATTR: 15,
  DELEXTATTR: 16,
  OUTCOME: 32,
  ALIAS: 33,
  TRUNCATED: 34,
  SEALED: 48,
  CANCELLED: 49,
  SENT: 50,
} as const;

/** Name of an operation, the discriminant of {@link Operation}. */
export type Opcode = keyof typeof OPCODES;

const NAMES = new Map<number, Opcode>(
  Object.entries(OPCODES).map(([name, number]) => [number, name as Opcode]),
);

/** The operation with this number, or undefined where no such operation exists. */
export function opcodeOf(number: number): Opcode | undefined {
  return NAMES.get(number);
}

/**
 * A file name or path as the kernel sees it: bytes without NUL. A string stands for its UTF-8 bytes; a name that is not
 * valid UTF-8 can only be given as bytes.
 */
export type Path = string | Uint8Array;

/**
 * Stands for the current working directory wherever a directory descriptor is expected (AT_FDCWD in linux/fcntl.h). An
 * absolute path ignores the descriptor.
 */
export const AT_FDCWD = -100;

/** A path for a message: quoted, with bytes that would garble a terminal or a log line escaped. */
export function quotePath(path: Path): string {
  return `'${pathText(path).replace(/\p{Cc}/gu, escapeCharacter)}'`;
}

/** A path as text; bytes that are not UTF-8 become U+FFFD. */
export function pathText(path: Path): string {
  return typeof path === "string" ? path : Buffer.from(path).toString();
}

function escapeCharacter(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

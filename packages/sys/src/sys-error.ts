import { constants } from "node:os";
import { getSystemErrorMap } from "node:util";

import { pathText, quotePath, type Path } from "./path.ts";

/**
 * A system call that failed, in the shape of Node's own system errors: `code` ("ENOENT") and the negative `errno` are what
 * programs match, the message is for people: "ENOENT: no such file or directory, renameat2 'a' -> 'b'".
 */
export class SysError extends Error {
  /** The symbolic name, "ENOENT". EAGAIN and EWOULDBLOCK are one number and read "EAGAIN"; so do ENOTSUP and EOPNOTSUPP, "ENOTSUP". */
  readonly code: string;
  /** The negative number, as in Node's errors. */
  readonly errno: number;
  readonly syscall: string;
  /** The path asked for, as text. */
  readonly path: string | undefined;
  /** The second path of a call that takes two. */
  readonly dest: string | undefined;

  constructor(errno: number, syscall: string, path?: Path, dest?: Path) {
    const { code, text } = describeErrno(errno);
    const quoted = [path, dest].filter((name) => name !== undefined).map(quotePath);
    super(`${code}: ${text}, ${[syscall, quoted.join(" -> ")].filter(Boolean).join(" ")}`);
    this.name = "SysError";
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
    this.path = path === undefined ? undefined : pathText(path);
    this.dest = dest === undefined ? undefined : pathText(dest);
  }
}

/**
 * File system errors that neither `util.getSystemErrorMap()` nor `os.constants` know or have a text for
 * (asm-generic/errno.h, one numbering for all architectures that Node runs on).
 */
const BEYOND_NODE: ReadonlyMap<number, { code: string; text: string }> = new Map([
  [-37, { code: "ENOLCK", text: "no locks available" }],
  [-116, { code: "ESTALE", text: "stale file handle" }],
  [-117, { code: "EUCLEAN", text: "structure needs cleaning" }],
  [-122, { code: "EDQUOT", text: "disk quota exceeded" }],
  [-126, { code: "ENOKEY", text: "required key not available" }],
]);

function describeErrno(errno: number): { code: string; text: string } {
  const known = getSystemErrorMap().get(errno);
  if (known !== undefined) {
    return { code: known[0], text: known[1] };
  }
  const listed = Object.entries(constants.errno).find(([, number]) => number === -errno);
  return (
    BEYOND_NODE.get(errno) ?? { code: listed?.[0] ?? `E${-errno}`, text: `system error ${-errno}` }
  );
}

/**
 * Names across the binding, which carries them as UTF-8 strings.
 *
 * Coming in, it turns every invalid byte into U+FFFD, so a name with one cannot be told from others;
 * such names are refused with EILSEQ rather than guessed (docs/decisions/0002). Going out, an entry
 * with invalid bytes is listed in the same mangled form: visible, and refused when it is touched, so
 * that a copy of the tree reports it instead of leaving it out in silence.
 */
import { type Name, NAME_MAX_BYTES, parseName } from "@izo/core";

import { ErrnoError } from "../errno.ts";

const replacement = "\u{fffd}";

/** A text that the kernel gave. @throws ErrnoError EILSEQ when bytes of it were lost on the way. */
export function fromKernel(text: string): string {
  if (!text.includes(replacement)) return text;
  throw new ErrnoError("EILSEQ", `Cannot use ${JSON.stringify(text)}: it is not valid UTF-8`);
}

/**
 * A name that the kernel gave.
 *
 * @throws ErrnoError ENAMETOOLONG beyond 255 bytes, which recent kernels pass on;
 * EILSEQ as {@link fromKernel}.
 */
export function nameFromKernel(text: string): Name {
  const isLong = text.length * 3 > NAME_MAX_BYTES && Buffer.byteLength(text) > NAME_MAX_BYTES;
  if (isLong) {
    throw new ErrnoError("ENAMETOOLONG", `Cannot use a name of over ${NAME_MAX_BYTES} bytes`);
  }
  return parseName(fromKernel(text));
}

/** `text` for the kernel, exactly. @throws ErrnoError EILSEQ when it holds bytes that are not UTF-8. */
export function toKernel(text: string): string {
  if (text.isWellFormed()) return text;
  const shown = JSON.stringify(text.toWellFormed());
  throw new ErrnoError("EILSEQ", `Cannot give out ${shown}: it is not valid UTF-8`);
}

/** A name as a directory listing shows it: mangled rather than missing, and never too long. */
export function toListing(name: Name): string {
  if (name.isWellFormed()) return name;
  let shown = name.toWellFormed();
  while (Buffer.byteLength(shown) > NAME_MAX_BYTES) shown = Array.from(shown).slice(0, -1).join("");
  return shown;
}

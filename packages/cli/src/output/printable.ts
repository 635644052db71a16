import type { OutputStream } from "./output.ts";

/** Names come from other machines: what a terminal would obey is shown as an escape. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  return /[\u0000-\u001f\u007f-\u009f]/.test(text) || !text.isWellFormed()
    ? JSON.stringify(text)
    : text;
}

/**
 * What is written to a terminal, whoever said it: of what a terminal obeys only new lines and tabs are left. To a
 * file or another program the text goes as it is, since it can be a patch.
 */
export function harmlessOn({ isTTY }: Pick<OutputStream, "isTTY">, text: string): string {
  if (isTTY !== true) return text;
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  return text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, escapeOf);
}

function escapeOf(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** Names come from other machines: what a terminal would obey is shown as an escape. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  return /[\u0000-\u001f\u007f-\u009f]/.test(text) || !text.isWellFormed()
    ? JSON.stringify(text)
    : text;
}

/** Names one after the other, each with a NUL at its end. @throws RangeError for one with a NUL in it */
export function packNames(named: readonly { readonly name: Uint8Array }[]): Uint8Array {
  const packed = new Uint8Array(named.reduce((sum, { name }) => sum + name.length + 1, 0));
  let offset = 0;
  for (const { name } of named) {
    if (name.includes(0)) throw new RangeError("Cannot use a file name: there is a NUL in it");
    packed.set(name, offset);
    offset += name.length + 1;
  }
  return packed;
}

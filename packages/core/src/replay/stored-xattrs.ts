import { fromBase64, toBase64 } from "../kml/base64.ts";
import type { Recno } from "../kml/identity.ts";
import { authoritativeRecno, type ExtendedAttribute } from "./tree-object.ts";

type StoredXattr = [name: string, base64: string, version: Recno];

/** The extended attributes of an authoritative object, as the indexes of both sides store them. */
export function writeStoredXattrs(xattrs: ReadonlyMap<string, ExtendedAttribute>): string {
  const stored = [...xattrs].map(([name, { value, version }]): StoredXattr => {
    return [name, toBase64(value), authoritativeRecno(version)];
  });
  return JSON.stringify(stored);
}

/** Reads what {@link writeStoredXattrs} wrote. */
export function readStoredXattrs(text: string): Map<string, ExtendedAttribute> {
  return new Map(
    (JSON.parse(text) as StoredXattr[]).map(([name, base64, version]) => [
      name,
      { value: fromBase64(base64), version },
    ]),
  );
}

import { fromBase64, toBase64 } from "../kml/base64.ts";
import type { Oid, Recno, Sha256, TimeNs } from "../kml/identity.ts";
import { parseName } from "../kml/name.ts";
import type { Entry, ObjectKind, TreeObject } from "../replay/tree-object.ts";
import { JsonFields } from "./json-fields.ts";
import { WireFormatError } from "./wire-format-error.ts";

/** What stands at a path, as a listing tells of it. */
export interface ListedObject {
  readonly oid: Oid;
  readonly kind: ObjectKind;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: TimeNs;
  /** 0 for all but files. */
  readonly sizeBytes: number;
  /** Null for all but files. */
  readonly sha256: Sha256 | null;
  /** Empty for all but symlinks. */
  readonly target: string;
  /** 0 for all but special files. */
  readonly rdev: number;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

export interface ListedEntry extends ListedObject {
  readonly name: string;
}

export interface Listing extends ListedObject {
  readonly path: string;
  /** The record behind which the tree was like this; null where it is the present one. */
  readonly at: Recno | null;
  /** Of a directory, by name in byte order; empty for all else. */
  readonly entries: readonly ListedEntry[];
}

/** What {@link writeListing} writes of. */
export interface ListedTree {
  readonly path: string;
  readonly at: Recno | null;
  readonly object: TreeObject;
  readonly children: readonly { readonly entry: Entry; readonly object: TreeObject }[];
}

/** What stands at a path as JSON; names that are no UTF-8 hold lone surrogates, as in records. */
export function writeListing({ path, at, object, children }: ListedTree): string {
  return JSON.stringify({
    path,
    at,
    ...describe(object),
    entries: children.map((child) => ({ name: child.entry.name, ...describe(child.object) })),
  });
}

/** @throws WireFormatError, InvalidNameError */
export function parseListing(body: string): Listing {
  const fields = JsonFields.parse("listing", body);
  return {
    path: fields.text("path"),
    at: fields.nullable("at", () => fields.recno("at")),
    ...parseObject(fields),
    // A server may be hostile: what is no name would lead out of the directory.
    entries: fields.list("entries", (entry) => ({
      name: parseName(entry.text("name")),
      ...parseObject(entry),
    })),
  };
}

function describe(object: TreeObject): Record<string, unknown> {
  const { oid, kind, mode, uid, gid, sizeBytes, mtimeNs, sha256, target, rdev, contentVersion } =
    object;
  return {
    oid,
    kind,
    mode,
    uid,
    gid,
    mtimeNs: mtimeNs.toString(),
    ...(kind === "file" && { sizeBytes, sha256, contentVersion }),
    ...(kind === "symlink" && { target }),
    ...(kind === "special" && { rdev }),
    ...(object.xattrs.size > 0 && {
      xattrs: Array.from(object.xattrs, ([name, { value }]) => ({ name, value: toBase64(value) })),
    }),
  };
}

function parseObject(fields: JsonFields): ListedObject {
  const kind = fields.oneOf("kind", ["file", "directory", "symlink", "special"]);
  const isFile = kind === "file";
  return {
    oid: fields.id("oid"),
    kind,
    mode: fields.whole("mode"),
    uid: fields.whole("uid"),
    gid: fields.whole("gid"),
    mtimeNs: parseTime(fields.text("mtimeNs")),
    sizeBytes: isFile ? fields.whole("sizeBytes") : 0,
    sha256: isFile ? fields.nullable("sha256", () => fields.sha256("sha256")) : null,
    target: kind === "symlink" ? fields.text("target") : "",
    rdev: kind === "special" ? fields.whole("rdev") : 0,
    xattrs: new Map(
      fields.has("xattrs")
        ? fields.list("xattrs", (xattr) => [xattr.text("name"), fromBase64(xattr.text("value"))])
        : [],
    ),
  };
}

function parseTime(text: string): TimeNs {
  if (/^-?\d{1,19}$/.test(text)) return BigInt(text);
  throw new WireFormatError("listing", `${JSON.stringify(text)} is no time`);
}

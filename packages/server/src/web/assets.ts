import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { ProblemError } from "@izo/core";
import { packageDirectory } from "@izo/sys";

import type { AppContext } from "../routes/app-environment.ts";
import { ifUnchanged, IMMUTABLE } from "../routes/immutable.ts";
import { pagePath } from "./page-routes.ts";

const DIRECTORY = join(packageDirectory("@izo/server", import.meta.url), "assets");

const TYPES = {
  "page.css": "text/css; charset=utf-8",
  "page.js": "text/javascript; charset=utf-8",
  "icon.svg": "image/svg+xml",
} as const;

type AssetName = keyof typeof TYPES;

interface Asset {
  readonly bytes: Buffer<ArrayBuffer>;
  readonly version: string;
}

/** Read once each: they belong to this version of the program. */
const assets = new Map<AssetName, Asset>();

function assetOf(name: AssetName): Asset {
  const known = assets.get(name);
  if (known !== undefined) return known;
  const bytes = readFileSync(join(DIRECTORY, name));
  const asset = { bytes, version: hash("sha256", bytes).slice(0, 16) };
  assets.set(name, asset);
  return asset;
}

/** The address of a style, script or picture of the pages; another one for other bytes. */
export function assetLink(name: AssetName): string {
  return `${pagePath("asset", { name })}?v=${assetOf(name).version}`;
}

/** What pages are made of beside their text: all of it from here. */
export function getAsset(c: AppContext): Response {
  const name = c.req.param("name") ?? "";
  if (!Object.hasOwn(TYPES, name)) {
    throw new ProblemError("unknown-route", `Cannot GET ${c.req.path}: there is nothing here`);
  }
  const { bytes, version } = assetOf(name as AssetName);
  const isForEver = c.req.query("v") === version;
  const headers = {
    "Content-Type": TYPES[name as AssetName],
    "X-Content-Type-Options": "nosniff",
    ...(isForEver ? IMMUTABLE : { "Cache-Control": "no-cache" }),
    ETag: `"${version}"`,
  };
  if (ifUnchanged(c, `"${version}"`)) return c.body(null, 304, headers);
  return c.body(bytes, 200, headers);
}

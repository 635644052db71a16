/** Addresses of pages. */
import { type Sha256, writeFilesPath } from "@izo/core";

import type { Export } from "../export/export.ts";
import { pagePath } from "./page-routes.ts";

/** Where a path of the tree is shown. */
export function treeLink({ filesetName: fileset }: Export, path: string): string {
  return `${pagePath("tree", { fileset })}${writeFilesPath(path)}`;
}

/** Where a file is given out to be kept: what it holds now, or what it held. */
export function downloadLink(
  { filesetName: fileset }: Export,
  path: string,
  sha256?: Sha256,
): string {
  const query = sha256 === undefined ? "" : `?sha256=${sha256}`;
  return `${pagePath("download", { fileset })}${writeFilesPath(path)}${query}`;
}

/** Where the records about a path are listed. */
export function changesLink({ filesetName: fileset }: Export, path?: string): string {
  const query = path === undefined ? "" : `?path=${writeFilesPath(path)}`;
  return `${pagePath("changes", { fileset })}${query}`;
}

import { existsSync, readdirSync, realpathSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";

import type { IgnoreRules } from "@izo/core";

import { STATE_DIRECTORY } from "../export/state-directory.ts";
import { readIgnoreNote } from "../export/tree/ignore-note.ts";
import { connectServer, ServerNotAnsweringError } from "./connect-control.ts";

/** An export that is served right now, seen from a place in it. */
export interface ExportAbove {
  readonly directory: string;
  readonly filesetName: string;
  /** The place, as a path of the fileset. */
  readonly path: string;
}

/**
 * The exports that servers of this machine serve right now and that a directory lies in, made already or
 * not, the innermost first; without those that leave it out, and without an export of that very directory.
 */
export async function exportsAbove(directory: string): Promise<ExportAbove[]> {
  const place = realPlace(resolve(directory));
  const found: ExportAbove[] = [];
  for (let above = dirname(place), at = place; above !== at; at = above, above = dirname(above)) {
    const path = `/${relative(above, place)}`;
    for (const filesetName of filesetsOf(above)) {
      const isLeftOut = ignoreRulesOf(above, filesetName).ignores(path, true);
      if (isLeftOut || !(await isServed(above, filesetName))) continue;
      found.push({ directory: above, filesetName, path });
    }
  }
  return found;
}

/** What an export leaves out, as it was last served. */
export function ignoreRulesOf(directory: string, filesetName: string): IgnoreRules {
  return readIgnoreNote(join(directory, STATE_DIRECTORY, filesetName, "ignore.json"));
}

/** A path without symlinks, of which the end need not be there yet. */
export function realPlace(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const above = dirname(path);
    return above === path ? path : join(realPlace(above), basename(path));
  }
}

function filesetsOf(directory: string): string[] {
  try {
    const state = join(directory, STATE_DIRECTORY);
    return readdirSync(state).filter((name) => existsSync(join(state, name, "fileset")));
  } catch {
    // Nothing was ever served from there, or nothing that this user may look at.
    return [];
  }
}

async function isServed(directory: string, filesetName: string): Promise<boolean> {
  try {
    await connectServer(directory, filesetName).status();
    return true;
  } catch (error) {
    if (error instanceof ServerNotAnsweringError) return false;
    throw error;
  }
}

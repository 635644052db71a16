import type { FilesetId } from "../../kml/identity.ts";

/** The one fileset of the simulation. */
export const FILESET = "f5".repeat(16) as FilesetId;

/** Small enough that a history seals and drops segments. */
export const SEGMENT_BYTES = 4096;

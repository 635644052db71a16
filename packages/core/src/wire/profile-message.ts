import type { FilesetId } from "../kml/identity.ts";
import { formatPosition } from "../kml/position.ts";
import { CONFLICT_POLICIES } from "../reintegrate/conflict-policy.ts";
import { HELD_REMOVAL_PERCENT } from "../sync/mass-removal.ts";
import type { FilesetProfile } from "./fileset-profile.ts";
import { JsonFields } from "./json-fields.ts";

/** A fileset in the list of a server. */
export interface FilesetName {
  readonly name: string;
  readonly id: FilesetId;
}

export function writeFilesetsResponse(filesets: readonly FilesetName[]): string {
  return JSON.stringify({ filesets: filesets.map(({ name, id }) => ({ name, id })) });
}

/** @throws WireFormatError */
export function parseFilesetsResponse(body: string): FilesetName[] {
  return JsonFields.parse("list of filesets", body).list("filesets", (fields) => ({
    name: fields.text("name"),
    id: fields.id("id"),
  }));
}

export function writeProfileResponse(profile: FilesetProfile): string {
  return JSON.stringify({ ...profile, head: formatPosition(profile.head) });
}

/** @throws WireFormatError */
export function parseProfileResponse(body: string): FilesetProfile {
  const fields = JsonFields.parse("profile", body);
  const limits = fields.fields("limits");
  return {
    protocol: fields.whole("protocol"),
    id: fields.id("id"),
    name: fields.text("name"),
    serverPeer: fields.id("serverPeer"),
    head: fields.position("head"),
    oldestRecno: fields.recno("oldestRecno"),
    limits: {
      inlineBytes: limits.whole("inlineBytes"),
      pushRecords: limits.whole("pushRecords"),
      pushBytes: limits.whole("pushBytes"),
      pollRecords: limits.whole("pollRecords"),
      pollWaitSeconds: limits.whole("pollWaitSeconds"),
      packRecnos: limits.whole("packRecnos"),
    },
    conflictPolicies: fields.list("conflictPolicies", (rule) => ({
      path: rule.text("path"),
      policy: rule.oneOf("policy", CONFLICT_POLICIES),
    })),
    heldRemovalPercent: fields.has("heldRemovalPercent")
      ? fields.whole("heldRemovalPercent")
      : HELD_REMOVAL_PERCENT,
    // Servers that do not say so leave it to the refusal of a push.
    changesBelow: fields.has("changesBelow")
      ? fields.nullable("changesBelow", () => fields.text("changesBelow"))
      : "/",
    features: fields.texts("features"),
  };
}

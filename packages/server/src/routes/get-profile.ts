import {
  MAX_INLINE_BYTES,
  MAX_PACK_RECNOS,
  MAX_POLL_RECORDS,
  MAX_POLL_WAIT_SECONDS,
  MAX_PUSH_BYTES,
  MAX_PUSH_RECORDS,
  PROTOCOL_VERSION,
  type ProfileLimits,
  writeConflictsResponse,
  writeFilesetsResponse,
  writePeersResponse,
  writeProfileResponse,
  writeStatusResponse,
} from "@izo/core";

import type { AppContext } from "./app-environment.ts";
import { jsonResponse } from "./json-response.ts";

const LIMITS: ProfileLimits = {
  inlineBytes: MAX_INLINE_BYTES,
  pushRecords: MAX_PUSH_RECORDS,
  pushBytes: MAX_PUSH_BYTES,
  pollRecords: MAX_POLL_RECORDS,
  pollWaitSeconds: MAX_POLL_WAIT_SECONDS,
  packRecnos: MAX_PACK_RECNOS,
};

export function getFilesets(c: AppContext): Response {
  const filesets = c.var.filesets.map(({ filesetName, filesetId }) => ({
    name: filesetName,
    id: filesetId,
  }));
  return jsonResponse(c, writeFilesetsResponse(filesets));
}

export function getProfile(c: AppContext): Response {
  const { filesetId, filesetName, serverPeer, headPosition, oldestRecno } = c.var.fileset;
  const { conflictPolicies, heldRemovalPercent } = c.var.fileset;
  const profile = {
    protocol: PROTOCOL_VERSION,
    id: filesetId,
    name: filesetName,
    serverPeer,
    head: headPosition,
    oldestRecno,
    limits: LIMITS,
    conflictPolicies,
    heldRemovalPercent,
    changesBelow: c.var.isReadOnly ? null : c.var.caller.writesBelow,
    features: [],
  };
  return jsonResponse(c, writeProfileResponse(profile));
}

export function getStatus(c: AppContext): Response {
  return jsonResponse(c, writeStatusResponse(c.var.fileset.status()));
}

export function getPeers(c: AppContext): Response {
  return jsonResponse(c, writePeersResponse(c.var.fileset.peers()));
}

export function getConflicts(c: AppContext): Response {
  return jsonResponse(c, writeConflictsResponse(c.var.fileset.conflicts()));
}

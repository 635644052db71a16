import { describe, expect, test } from "vitest";

import { ROOT_OID, type FilesetId, type PeerId, type Recno, type Sha256 } from "../kml/identity.ts";
import type { Epoch } from "../permit/permit.ts";
import type { FilesetProfile } from "./fileset-profile.ts";
import {
  parsePermitRequest,
  parsePermitResponse,
  parsePermitsResponse,
  type PermitRequest,
  writePermitRequest,
  writePermitResponse,
  writePermitsResponse,
} from "./permit-message.ts";
import {
  parseFilesetsResponse,
  parseProfileResponse,
  writeFilesetsResponse,
  writeProfileResponse,
} from "./profile-message.ts";
import { type FilesetStatus, parseStatusResponse, writeStatusResponse } from "./status-message.ts";
import {
  parseUploadProgress,
  parseUploadRange,
  writeUploadProgress,
  writeUploadRange,
} from "./upload-message.ts";

const id = "0123456789abcdef0123456789abcdef" as FilesetId & PeerId;
const profile: FilesetProfile = {
  protocol: 1,
  id,
  name: "rootfset",
  serverPeer: id,
  head: { recno: 41 as Recno, hash: "9f".repeat(32) as Sha256 },
  oldestRecno: 1 as Recno,
  limits: {
    inlineBytes: 1,
    pushRecords: 2,
    pushBytes: 3,
    pollRecords: 4,
    pollWaitSeconds: 5,
    packRecnos: 6,
  },
  conflictPolicies: [{ path: "*.lock", policy: "theirs" }],
  heldRemovalPercent: 75,
  changesBelow: "/docs",
  features: ["one"],
};
const status: FilesetStatus = {
  filesetName: "rootfset",
  filesetId: id,
  serverPeer: id,
  headRecno: 41 as Recno,
  oldestRecno: 1 as Recno,
  files: 3,
  bytes: 4,
  logBytes: 4096,
  oldContents: { count: 2, bytes: 300 },
  peers: [
    { peer: id, host: "nas", receivedRecno: 7 as Recno, replayedRecno: 6 as Recno, lastSeenMs: 8 },
  ],
  watching: "inotify",
  heldRemoval: null,
  problems: [{ path: "/a", message: "no" }],
};

describe("parseProfileResponse()", () => {
  test("gives back what writeProfileResponse() was given", () => {
    expect(parseProfileResponse(writeProfileResponse(profile))).toEqual(profile);
  });

  test.each([
    { description: "a head that is no position", change: { head: "41" } },
    { description: "an id with capital letters", change: { id: "AB".repeat(16) } },
    { description: "a recno that is no whole number", change: { oldestRecno: 1.5 } },
    { description: "a recno that is a text", change: { oldestRecno: "1" } },
    { description: "limits that are a list", change: { limits: [] } },
    {
      description: "a conflict policy that does not exist",
      change: { conflictPolicies: [{ path: "a", policy: "mine" }] },
    },
    { description: "a path for changes that is no text", change: { changesBelow: 1 } },
    { description: "a feature that is no text", change: { features: [1] } },
    { description: "no name", change: { name: undefined } },
  ])("refuses $description", ({ change }) => {
    const text = JSON.stringify({ ...JSON.parse(writeProfileResponse(profile)), ...change });
    expect(() => parseProfileResponse(text)).toThrow("Cannot read the profile");
  });

  test.each([
    { description: "nothing where the server says so", said: null, changesBelow: null },
    {
      description: "everything where an older server does not say",
      said: undefined,
      changesBelow: "/",
    },
  ])("lets a client change $description", ({ said, changesBelow }) => {
    const text = JSON.stringify({
      ...JSON.parse(writeProfileResponse(profile)),
      changesBelow: said,
    });
    expect(parseProfileResponse(text)).toEqual({ ...profile, changesBelow });
  });

  test("ignores what a newer server says more", () => {
    const text = JSON.stringify({ ...JSON.parse(writeProfileResponse(profile)), more: 1 });
    expect(parseProfileResponse(text)).toEqual(profile);
  });
});

test("parseFilesetsResponse() gives back what writeFilesetsResponse() was given", () => {
  const filesets = [{ name: "rootfset", id }];
  expect(parseFilesetsResponse(writeFilesetsResponse(filesets))).toEqual(filesets);
});

test.each([null, { removed: 3, objects: 4 }])(
  "parseStatusResponse() gives back what writeStatusResponse() was given, with %j held",
  (heldRemoval) => {
    const held = { ...status, heldRemoval };
    expect(parseStatusResponse(writeStatusResponse(held))).toEqual(held);
  },
);

const epoch = 7 as Epoch;

describe("messages about permits", () => {
  test.each<PermitRequest>([
    { action: "take", peer: id, host: "laptop", oid: ROOT_OID, waitSeconds: 5 },
    { action: "renew", peer: id, oid: ROOT_OID, epoch, waitSeconds: 0 },
    { action: "hand-back", peer: id, oid: ROOT_OID, epoch },
  ])("parsePermitRequest() gives back what writePermitRequest() was given: $action", (request) => {
    expect(parsePermitRequest(writePermitRequest(request))).toEqual(request);
  });

  test.each([
    { description: "an unknown action", change: { action: "steal" } },
    { description: "no peer", change: { peer: undefined } },
    { description: "an oid that is a path", change: { oid: "/sub" } },
    { description: "a host with a slash", change: { host: "a/b" } },
    { description: "a wait that is a text", change: { waitSeconds: "5" } },
  ])("parsePermitRequest() refuses $description as an invalid request", ({ change }) => {
    const request = { action: "take", peer: id, host: "h", oid: ROOT_OID, waitSeconds: 5 };
    const text = JSON.stringify({ ...request, ...change });
    expect(() => parsePermitRequest(text)).toThrow(
      expect.objectContaining({ code: "invalid-request" }),
    );
  });

  test.each([null, { oid: ROOT_OID, epoch, leaseMs: 60_000, recno: 41 as Recno, isWanted: true }])(
    "parsePermitResponse() gives back what writePermitResponse() was given: %j",
    (lease) => {
      expect(parsePermitResponse(writePermitResponse(lease))).toEqual(lease);
    },
  );

  test("parsePermitsResponse() gives back what writePermitsResponse() was given", () => {
    const holder = { oid: ROOT_OID, epoch, path: "/", peer: id, host: "laptop", leaseMs: 5 };
    const permits = [null, "desk"].map((wantedBy) => ({ ...holder, wantedBy }));
    expect(parsePermitsResponse(writePermitsResponse(permits))).toEqual(permits);
  });
});

const headersOf = (headers: Record<string, string>) => (name: string) => headers[name] ?? null;

describe("the headers of an upload", () => {
  test.each([true, false])("say how far it got, complete: %s", (isComplete) => {
    const progress = { offsetBytes: 7, isComplete };
    expect(parseUploadProgress(headersOf(writeUploadProgress(progress)))).toEqual(progress);
  });

  test("say what a PUT brings", () => {
    const range = { offsetBytes: 7, totalBytes: 9 };
    expect(parseUploadRange(headersOf(writeUploadRange(range)))).toEqual(range);
  });

  test("of a plain PUT are its length", () => {
    expect(parseUploadRange(headersOf({ "Content-Length": "5" }))).toEqual({
      offsetBytes: 0,
      totalBytes: 5,
    });
  });

  test.each([
    { description: "no length", headers: {} },
    { description: "a negative offset", headers: { "Upload-Offset": "-1", "Content-Length": "5" } },
    { description: "a length that is no number", headers: { "Upload-Length": "x" } },
  ])("with $description are refused", ({ headers }) => {
    expect(parseUploadRange(headersOf(headers))).toBeNull();
  });

  test("of a proxy's answer say nothing", () => {
    expect(parseUploadProgress(headersOf({ "Upload-Offset": "7" }))).toBeNull();
  });
});

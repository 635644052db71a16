import type { Oid, PeerId, Recno } from "../kml/identity.ts";
import type { Epoch, PermitFence } from "../permit/permit.ts";
import { JsonFields } from "./json-fields.ts";
import { MAX_HOST_BYTES, MAX_POLL_WAIT_SECONDS } from "./limits.ts";
import { ProblemError } from "./problem.ts";
import { WireFormatError } from "./wire-format-error.ts";

/** What a peer asks about the permit of a directory's subtree. */
export type PermitRequest =
  | {
      readonly action: "take";
      readonly peer: PeerId;
      /** For those who are told who holds it. */
      readonly host: string;
      readonly oid: Oid;
      /** Seconds to wait for one that somebody holds, who is asked for it; 0 to leave him alone. */
      readonly waitSeconds: number;
    }
  | ({
      readonly action: "renew";
      readonly peer: PeerId;
      /** Seconds to hold the answer back while nobody else asks. The lease begins before that. */
      readonly waitSeconds: number;
    } & PermitFence)
  | ({ readonly action: "hand-back"; readonly peer: PeerId } & PermitFence);

/** A lease, as the answer to `take` and `renew` promises it. */
export interface PermitLease extends PermitFence {
  /** From when the server decided; the request was sent before that. */
  readonly leaseMs: number;
  /** The log's head then: all that was done under the permit before. */
  readonly recno: Recno;
  /** Somebody else asks for it: finish, push, and hand it back. */
  readonly isWanted: boolean;
}

/** A permit in the list of a server. */
export interface PermitStatus extends PermitFence {
  readonly path: string;
  readonly peer: PeerId;
  readonly host: string;
  /** 0 where the lease is over and nobody has asked since. */
  readonly leaseMs: number;
  /** Host of who else asks; null for nobody. */
  readonly wantedBy: string | null;
}

const ACTIONS = ["take", "renew", "hand-back"] as const;

export function writePermitRequest(request: PermitRequest): string {
  return JSON.stringify(request);
}

/** @throws ProblemError `invalid-request` */
export function parsePermitRequest(body: string): PermitRequest {
  try {
    const fields = JsonFields.parse("request", body);
    const action = fields.oneOf("action", ACTIONS);
    const peer = fields.id("peer");
    const oid: Oid = fields.id("oid");
    if (action === "take") {
      return { action, peer, oid, host: parseHost(fields), waitSeconds: parseWait(fields) };
    }
    const epoch = parseEpoch(fields);
    return action === "renew"
      ? { action, peer, oid, epoch, waitSeconds: parseWait(fields) }
      : { action, peer, oid, epoch };
  } catch (cause) {
    if (!(cause instanceof WireFormatError)) throw cause;
    throw new ProblemError("invalid-request", cause.message, {}, { cause });
  }
}

/** The answer to `take` and `renew` is a lease; to `hand-back`, null. */
export function writePermitResponse(lease: PermitLease | null): string {
  return JSON.stringify({ lease });
}

/** @throws WireFormatError */
export function parsePermitResponse(body: string): PermitLease | null {
  const fields = JsonFields.parse("answer about a permit", body);
  return fields.nullable("lease", () => {
    const lease = fields.fields("lease");
    return {
      oid: lease.id("oid"),
      epoch: parseEpoch(lease),
      leaseMs: lease.whole("leaseMs"),
      recno: lease.recno("recno"),
      isWanted: lease.flag("isWanted"),
    };
  });
}

export function writePermitsResponse(permits: readonly PermitStatus[]): string {
  return JSON.stringify({ permits });
}

/** @throws WireFormatError */
export function parsePermitsResponse(body: string): PermitStatus[] {
  return JsonFields.parse("list of permits", body).list("permits", (fields) => ({
    oid: fields.id("oid"),
    epoch: parseEpoch(fields),
    path: fields.text("path"),
    peer: fields.id("peer"),
    host: fields.text("host"),
    leaseMs: fields.whole("leaseMs"),
    wantedBy: fields.nullable("wantedBy", () => fields.text("wantedBy")),
  }));
}

function parseEpoch(fields: JsonFields): Epoch {
  return fields.whole("epoch") as Epoch;
}

function parseHost(fields: JsonFields): string {
  const host = fields.text("host");
  if (host === "" || host.length > MAX_HOST_BYTES || /[/\0]/.test(host)) {
    throw new WireFormatError("request", `${JSON.stringify(host)} is no name of a host`);
  }
  return host;
}

/** Asking for more than the server does is no error. */
function parseWait(fields: JsonFields): number {
  return Math.min(fields.whole("waitSeconds"), MAX_POLL_WAIT_SECONDS);
}

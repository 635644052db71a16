import { describe, expect, it } from "vitest";

import {
  NO_RECNO,
  ROOT_OID,
  type Oid,
  type PeerId,
  type Recno,
  type Sha256,
} from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type { ClientOperation } from "../kml/operation.ts";
import { NO_CHECK } from "../kml/record.ts";
import { conflictPolicies } from "../reintegrate/conflict-policy.ts";
import { MemoryState } from "../replay/memory-state.ts";
import { replay } from "../replay/replay.ts";
import type { PendingRecord } from "./pending-record.ts";
import { predictPush } from "./predict-push.ts";

const PEER = "9".repeat(32) as PeerId;
const SERVER = "5e".repeat(16) as PeerId;
const ACTOR = { uid: 0, gid: 0, groups: [], command: "test" };
const oid = (letter: string): Oid => letter.repeat(32) as Oid;
const content = (letter: string): Sha256 => letter.repeat(64) as Sha256;

const created = (id: string, name: string): ClientOperation => ({
  opcode: "CREATE",
  oid: oid(id),
  parent: ROOT_OID,
  name: name as Name,
  path: `/${name}`,
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtimeNs: 0n,
  conflict: null,
});
const closed = (
  id: string,
  bytes: string,
  contentBase: Extract<ClientOperation, { opcode: "CLOSE" }>["contentBase"],
): ClientOperation => ({
  opcode: "CLOSE",
  oid: oid(id),
  path: "/a",
  contentBase,
  sizeBytes: 1,
  mtimeNs: 0n,
  sha256: content(bytes),
  conflict: null,
});
const own = (recno: number) => ({ peer: PEER, recno: recno as Recno });

/** A state with the file `/a` of content 2, which was of content 1 at record 2. */
function serverState(): { state: MemoryState; recno: Recno } {
  const state = new MemoryState();
  let recno = NO_RECNO;
  const log = [created("a", "a"), closed("a", "1", 1 as Recno), closed("a", "2", 2 as Recno)];
  for (const operation of log) {
    const next = (recno + 1) as Recno;
    const origin = { peer: SERVER, recno: next, check: NO_CHECK };
    const record = {
      recno: next,
      authorTimeNs: 0n,
      logTimeNs: 0n,
      origin,
      actor: ACTOR,
      operation,
    };
    recno = replay(record, state, recno);
  }
  return { state, recno };
}

function pending(...operations: readonly ClientOperation[]): PendingRecord[] {
  return operations.map((operation, index) => ({
    recno: (index + 1) as Recno,
    authorTimeNs: 0n,
    actor: ACTOR,
    operation,
  }));
}

function predict(unsent: readonly PendingRecord[], policy: "both" | "theirs" = "both") {
  const { state, recno } = serverState();
  const policyOf = conflictPolicies([{ path: "/a", policy }]);
  const predictions = predictPush([], unsent, { state, recno, peer: PEER, host: "box", policyOf });
  return { predictions, state };
}

describe("predictPush()", () => {
  it("judges each record where the ones before it have left the tree", () => {
    const { predictions } = predict(
      pending(
        closed("a", "3", 2 as Recno),
        closed("a", "4", own(1)),
        created("b", "b"),
        closed("b", "5", own(3)),
        created("c", "b"),
      ),
    );
    expect(predictions.map(({ verdict }) => verdict)).toEqual([
      "copied",
      "applied",
      "applied",
      "applied",
      "copied",
    ]);
    // The second edit goes on in the copy that the first becomes.
    const [first, second] = predictions;
    expect(second!.trace).toMatchObject({ oid: (first!.trace as { oid: Oid }).oid });
  });

  it("goes by the policies that it is given", () => {
    const { predictions } = predict(pending(closed("a", "3", 2 as Recno)), "theirs");
    expect(predictions).toMatchObject([{ verdict: "applied", trace: { path: "/a" } }]);
  });

  it("knows which content a new file is about to get", () => {
    const { predictions } = predict(pending(created("b", "a"), closed("b", "2", own(1))));
    expect(predictions[0]).toMatchObject({ verdict: "merged", reason: "same-content" });
    expect(predictions[1]).toMatchObject({ verdict: "applied", trace: { oid: oid("a") } });
  });

  it("leaves the state as it is", () => {
    const { state } = predict(pending(closed("a", "3", 2 as Recno), created("b", "b")));
    expect(state.object(oid("a"))?.sha256).toBe(content("2"));
    expect([...state.children(ROOT_OID)]).toHaveLength(1);
  });
});

import { describe, expect, test } from "vitest";

import { NO_RECNO, type Oid, type PeerId, type Recno, ROOT_OID } from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type { ClientOperation } from "../kml/operation.ts";
import { MemoryState } from "../replay/memory-state.ts";
import { applyOperation } from "../replay/replay.ts";
import { ChangeScope } from "./change-scope.ts";

const PEER = "5e".repeat(16) as PeerId;
const oid = (letter: string): Oid => letter.repeat(32) as Oid;
const [DOCS, DEEP, OTHER] = [oid("d"), oid("e"), oid("0")];
const [INSIDE, OUTSIDE, BOTH, GONE] = [oid("a"), oid("b"), oid("c"), oid("9")];

const named = (id: Oid, parent: Oid, name: string) => ({
  oid: id,
  parent,
  name: name as Name,
  path: `/${name}`,
});

function made(opcode: "MKDIR" | "CREATE", id: Oid, parent: Oid, name = id[0]!): ClientOperation {
  const attributes = { mode: 0o755, uid: 0, gid: 0, mtimeNs: 0n };
  return { opcode, ...named(id, parent, name), ...attributes, conflict: null };
}

const linked = (id: Oid, parent: Oid, name = "l"): ClientOperation => ({
  opcode: "LINK",
  ...named(id, parent, name),
  conflict: null,
});

const unlinked = (id: Oid, parent: Oid, name = id[0]!): ClientOperation => ({
  opcode: "UNLINK",
  ...named(id, parent, name),
  nameBase: NO_RECNO,
  contentBase: NO_RECNO,
  isLastName: true,
});

const moved = (id: Oid, fromParent: Oid, toParent: Oid): ClientOperation => ({
  opcode: "RENAME",
  oid: id,
  contentBase: NO_RECNO,
  fromParent,
  fromName: id[0]! as Name,
  fromPath: "/",
  fromBase: NO_RECNO,
  toParent,
  toName: "m" as Name,
  toPath: "/m",
  victim: null,
  keepsOid: false,
  conflict: null,
});

const changed = (id: Oid): ClientOperation => ({
  opcode: "SETATTR",
  oid: id,
  path: "/",
  attributes: { base: NO_RECNO, mode: 0o700, uid: 0, gid: 0 },
  times: null,
});

/** /docs/{a,c,e/}, /b, and c with a name in /0, too; 9 was in /docs/e. */
function tree(): MemoryState {
  const state = new MemoryState();
  const log = [
    made("MKDIR", DOCS, ROOT_OID, "docs"),
    made("MKDIR", DEEP, DOCS),
    made("MKDIR", OTHER, ROOT_OID),
    made("CREATE", INSIDE, DOCS),
    made("CREATE", OUTSIDE, ROOT_OID),
    made("CREATE", BOTH, DOCS),
    linked(BOTH, OTHER),
    made("CREATE", GONE, DEEP),
    unlinked(GONE, DEEP),
  ];
  for (const [index, each] of log.entries()) {
    applyOperation(each, (index + 1) as Recno, PEER, state);
  }
  return state;
}

describe("ChangeScope of /docs", () => {
  test.each<{ description: string; operation: ClientOperation; isAllowed: boolean }>([
    { description: "a new file below", operation: made("CREATE", oid("1"), DEEP), isAllowed: true },
    {
      description: "a new file beside",
      operation: made("CREATE", oid("1"), OTHER),
      isAllowed: false,
    },
    { description: "a change below", operation: changed(INSIDE), isAllowed: true },
    { description: "a change beside", operation: changed(OUTSIDE), isAllowed: false },
    { description: "a change of the directory itself", operation: changed(DOCS), isAllowed: false },
    { description: "a change of the root", operation: changed(ROOT_OID), isAllowed: false },
    { description: "a file with a name elsewhere", operation: changed(BOTH), isAllowed: false },
    { description: "what was removed below", operation: changed(GONE), isAllowed: true },
    { description: "what never was", operation: changed(oid("7")), isAllowed: false },
    { description: "a move below", operation: moved(INSIDE, DOCS, DEEP), isAllowed: true },
    { description: "a move out", operation: moved(INSIDE, DOCS, OTHER), isAllowed: false },
    { description: "a move in", operation: moved(OUTSIDE, ROOT_OID, DOCS), isAllowed: false },
    { description: "a link of what is beside", operation: linked(OUTSIDE, DOCS), isAllowed: false },
    { description: "a removal below", operation: unlinked(INSIDE, DOCS), isAllowed: true },
    {
      description: "an id that is taken beside",
      operation: made("CREATE", OUTSIDE, DOCS),
      isAllowed: false,
    },
  ])("$description: $isAllowed", ({ operation, isAllowed }) => {
    expect(new ChangeScope(tree(), "/docs").allows(operation)).toBe(isAllowed);
    expect(new ChangeScope(tree(), "/").allows(operation)).toBe(true);
    expect(new ChangeScope(tree(), "/nowhere").allows(operation)).toBe(false);
  });

  test("has inside what allowed records before have made, and nothing that others have", () => {
    const scope = new ChangeScope(tree(), "/docs");
    const [below, beside] = [oid("1"), oid("2")];
    expect(scope.allows(changed(below))).toBe(false);
    expect(scope.allows(made("MKDIR", below, DEEP))).toBe(true);
    expect(scope.allows(made("CREATE", oid("3"), below))).toBe(true);
    expect(scope.allows(changed(oid("3")))).toBe(true);
    expect(scope.allows(made("MKDIR", beside, OTHER))).toBe(false);
    expect(scope.allows(made("CREATE", oid("4"), beside))).toBe(false);
  });
});

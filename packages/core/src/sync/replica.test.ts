import { beforeEach, describe, expect, test, vi } from "vitest";

import { ROOT_OID, type Oid, type PeerId, type Recno, type Sha256 } from "../kml/identity.ts";
import { parseName } from "../kml/name.ts";
import type { Base, ClientOperation, Operation } from "../kml/operation.ts";
import { NO_CHECK, type KmlRecord, type ServerRecord } from "../kml/record.ts";
import { logDecision } from "../reintegrate/log-decision.ts";
import { reintegrate, type SubmittedRecord } from "../reintegrate/reintegrate.ts";
import { MemoryState } from "../replay/memory-state.ts";
import { replay } from "../replay/replay.ts";
import type { ChangeSet } from "./change-set.ts";
import { PendingLog } from "./pending-log.ts";
import { Replica } from "./replica.ts";

const ME = "11".repeat(16) as PeerId;
const OTHER = "22".repeat(16) as PeerId;
const SERVER = "5e".repeat(16) as PeerId;
const ACTOR = { uid: 0, gid: 0, groups: [], command: "test" };
const START = { recno: 0 as Recno, check: NO_CHECK };
const [A, B, C] = ["a1", "b2", "c3"].map((byte) => byte.repeat(16) as Oid) as [Oid, Oid, Oid];
const [ONE, TWO, THREE] = ["01", "02", "03"].map((byte) => byte.repeat(32) as Sha256) as [
  Sha256,
  Sha256,
  Sha256,
];

function create(oid: Oid, name: string): ClientOperation {
  const attributes = { mode: 0o644, uid: 0, gid: 0, mtimeNs: 0n };
  const place = { parent: ROOT_OID, name: parseName(name), path: `/${name}`, conflict: null };
  return { opcode: "CREATE", oid, ...place, ...attributes };
}

function close(oid: Oid, contentBase: Base, sha256: Sha256): ClientOperation {
  const content = { sizeBytes: 1, mtimeNs: 1n, sha256, conflict: null };
  return { opcode: "CLOSE", oid, path: "/", contentBase, ...content };
}

/** A temporary file takes a name and, where it can, the identity of what stands there. */
function saveOver(oid: Oid, fromBase: Base, contentBase: Base, victimBase: Base): ClientOperation {
  const from = { fromParent: ROOT_OID, fromName: parseName(`t-${oid}`), fromPath: "/", fromBase };
  const to = { toParent: ROOT_OID, toName: parseName("a"), toPath: "/a" };
  const victim = { oid: A, contentBase: victimBase, isLastName: true };
  return {
    opcode: "RENAME",
    oid,
    contentBase,
    ...from,
    ...to,
    victim,
    keepsOid: true,
    conflict: null,
  };
}

/** The server's side: judges and logs, as the real one does. */
class Server {
  readonly state = new MemoryState();
  readonly log: ServerRecord[] = [];
  #submitted = 0;

  /** Another client does this. */
  submit(operation: ClientOperation): void {
    this.#submitted += 1;
    const origin = { peer: OTHER, recno: this.#submitted as Recno, check: "c".repeat(16) };
    this.receive({ origin, authorTimeNs: 0n, actor: ACTOR, operation });
  }

  receive(submitted: SubmittedRecord): void {
    const decision = reintegrate(submitted, this.state, {
      host: "laptop",
      contentToCome: () => undefined,
    });
    const headRecno = this.log.length as Recno;
    const end = { headRecno, headTimeNs: 0n, nowNs: 1n, server: SERVER };
    for (const record of logDecision(decision, submitted, end)) {
      replay(record, this.state, (record.recno - 1) as Recno);
      this.log.push(record);
    }
  }
}

let server: Server;
let pending: PendingLog;
let replica: Replica;
let ownRecno = 0;

beforeEach(() => {
  server = new Server();
  pending = new PendingLog(ME);
  replica = new Replica(new MemoryState(), 0 as Recno, pending, START);
  ownRecno = 0;
});

function log(operation: Operation): Recno {
  return logged(operation).recno;
}

/** {@link log} that also says what the cache has to be told. */
function logged(operation: Operation): { recno: Recno; changes: ChangeSet } {
  ownRecno += 1;
  const recno = ownRecno as Recno;
  const origin = { peer: ME, recno, check: NO_CHECK };
  const record: KmlRecord = {
    recno,
    authorTimeNs: 0n,
    logTimeNs: 0n,
    origin,
    actor: ACTOR,
    operation,
  };
  return { recno, changes: replica.addOwn(record) };
}

function ownBase(recno: Recno): Base {
  return { peer: ME, recno };
}

/** Freezes all that waits, as before a first send. */
function freeze(): void {
  for (const { covers, record } of pending.sendable())
    log({ opcode: "SENT", covers, operation: record?.operation ?? null });
}

/** All that is to be sent reaches the server; the answers are lost. */
function push(): void {
  for (const { submitted } of replica.toSend) server.receive(submitted);
}

const pull = () => replica.pull(server.log);
const shown = (name: string) => replica.visible.entry(ROOT_OID, parseName(name))?.oid;
const names = () => Array.from(replica.visible.children(ROOT_OID), ({ name }) => name).toSorted();

/** A file that both sides know. */
function share(): Recno {
  server.submit(create(A, "a"));
  server.submit(close(A, server.state.object(A)!.contentVersion, ONE));
  pull();
  return server.state.object(A)!.contentVersion as Recno;
}

test("addOwn() leaves it to who looks at the tree, or has a record shown, to show it", () => {
  const asked = vi.spyOn(server.state, "object");
  replica = new Replica(server.state, 0 as Recno, pending, START);
  log(create(A, "a"));
  log(create(B, "b"));
  expect(pending.size).toBe(2);
  expect(asked).not.toHaveBeenCalled();
  replica.showOwn();
  expect(asked).toHaveBeenCalled();
  log(create("c3".repeat(16) as Oid, "c"));
  expect(names()).toEqual(["a", "b", "c"]);
});

describe("[C5] what a pending record touches", () => {
  test("keeps its content until the outcome is here; the authoritative state moves on", () => {
    const base = share();
    log(close(A, base, TWO));
    server.submit(close(A, base, THREE));
    const { changes } = pull();
    expect(replica.visible.object(A)?.sha256).toBe(TWO);
    expect(replica.authoritative.object(A)?.sha256).toBe(THREE);
    expect(changes).toEqual({ names: [], objects: [], moves: [] });
  });

  test("keeps its name", () => {
    log(create(B, "x"));
    server.submit(create(A, "x"));
    pull();
    expect(shown("x")).toBe(B);
    expect(replica.authoritative.entry(ROOT_OID, parseName("x"))?.oid).toBe(A);
  });

  test("leaves all else to the server's log", () => {
    log(create(B, "mine"));
    server.submit(create(A, "theirs"));
    expect(pull().changes.names.map(({ name }) => name)).toEqual(["theirs"]);
    expect(names()).toEqual(["mine", "theirs"]);
  });
});

function directory(oid: Oid, name: string): ClientOperation {
  return { ...create(oid, name), opcode: "MKDIR" } as ClientOperation;
}

const nameBaseOf = (oid: Oid) => server.state.links(oid)[0]!.version;

/** Another client moves the shared file; this one does not know it yet. */
function moveShared(toParent: Oid, toName: string): void {
  const { parent, name: fromName, version } = server.state.links(A)[0]!;
  const from = { fromParent: parent, fromName, fromPath: "/a", fromBase: version };
  const contentBase = server.state.object(A)!.contentVersion;
  const to = { toParent, toName: parseName(toName), toPath: "/", victim: null, keepsOid: false };
  server.submit({ opcode: "RENAME", oid: A, contentBase, ...from, ...to, conflict: null });
}

/** The server moves the shared file to a name that this client has given to something else. */
function moveOver(name: string): void {
  moveShared(ROOT_OID, name);
  pull();
}

describe("[C5] what stands in the way of a pending record", () => {
  const orders = [
    { description: "made before the edit", isMadeFirst: true },
    { description: "made after the edit", isMadeFirst: false },
  ];
  test.each(orders)(
    "is shown beside it where it was edited here: $description",
    ({ isMadeFirst }) => {
      const base = share();
      const edit = close(A, base, TWO);
      const make = { ...create(B, "b"), opcode: "MKDIR" } as ClientOperation;
      for (const operation of isMadeFirst ? [make, edit] : [edit, make]) log(operation);
      moveOver("b");
      expect(shown("b")).toBe(B);
      expect(replica.visible.object(A)?.sha256).toBe(TWO);
      expect(names()).toEqual(["b", "b.conflict-19700101T000000Z-server"]);
      freeze();
      push();
      pull();
      expect(shown("b")).toBe(A);
      expect(replica.visible.object(A)?.sha256).toBe(TWO);
    },
  );

  test("has a name also where another pending record takes the one beside", () => {
    const beside = "b.conflict-19700101T000000Z-server";
    const base = share();
    log(close(A, base, TWO));
    log(directory(B, "b"));
    log(directory(C, beside));
    moveOver("b");
    expect([shown("b"), shown(beside)]).toEqual([B, C]);
    expect(shown(`${beside}-2`)).toBe(A);
    expect(names()).toEqual(["b", beside, `${beside}-2`]);
  });

  test("is hidden when what was written to it is taken back; the cache is told", () => {
    const base = share();
    const edit = log({ ...close(A, base, TWO), sha256: null } as ClientOperation);
    log({ ...create(B, "b"), opcode: "MKDIR" } as ClientOperation);
    moveOver("b");
    const beside = "b.conflict-19700101T000000Z-server";
    expect(names()).toEqual(["b", beside]);
    const { changes } = logged({ opcode: "CANCELLED", recno: edit });
    expect(names()).toEqual(["b"]);
    expect(changes.names.map(({ name, before, after }) => [name, before?.oid, after])).toEqual([
      [beside, A, undefined],
    ]);
  });

  test("is hidden where nothing of this client is in it", () => {
    share();
    log(create(B, "b"));
    moveOver("b");
    expect(names()).toEqual(["b"]);
    expect(shown("b")).toBe(B);
  });
});

test("a record that is taken back before anybody looked shows nothing anew", () => {
  log(create(A, "a"));
  for (let value = 0; value < 100; value += 1) log(setAttribute(value));
  expect(replica.visible.object(A)?.xattrs.get("user.a")?.value).toEqual(Uint8Array.of(99));
  const failed = log(setAttribute(100));
  const looked = vi.spyOn(MemoryState.prototype, "object");
  const { changes } = logged({ opcode: "CANCELLED", recno: failed });
  expect(looked).not.toHaveBeenCalled();
  looked.mockRestore();
  expect(changes.objects).toEqual([]);
  expect(replica.visible.object(A)?.xattrs.get("user.a")?.value).toEqual(Uint8Array.of(99));
  expect(pending.unsentRecord(failed)).toBeUndefined();
});

function setAttribute(value: number): ClientOperation {
  const attribute = { attribute: "user.a", value: Uint8Array.of(value), base: 0 as Base };
  return { opcode: "SETEXTATTR", oid: A, path: "/a", ...attribute };
}

function removeShared(contentBase: Base): ClientOperation {
  const nameBase = server.state.entry(ROOT_OID, parseName("a"))!.version;
  const place = { parent: ROOT_OID, name: parseName("a"), path: "/a", nameBase };
  return { opcode: "UNLINK", oid: A, ...place, contentBase, isLastName: true };
}

describe("[C5] what was written here to a file that somebody saved over another meanwhile", () => {
  const T = "c3".repeat(16) as Oid;
  /** Another client makes a temporary file, of which this one knows, and has not yet saved it over A. */
  function prepare(): { base: Recno; temporary: Recno; save: () => void } {
    const base = share();
    server.submit(create(T, `t-${T}`));
    pull();
    const temporary = server.state.object(T)!.contentVersion as Recno;
    return { base, temporary, save: () => server.submit(saveOver(T, temporary, temporary, base)) };
  }
  test("stays when that other file is removed", () => {
    const { base, temporary, save } = prepare();
    log(close(T, temporary, TWO));
    log(removeShared(base));
    expect(names()).toEqual([`t-${T}`]);
    save();
    pull();
    expect(replica.visible.object(A)?.sha256).toBe(TWO);
  });

  test("stays beside what is moved over that other file", () => {
    const { base, temporary, save } = prepare();
    const made = log(create(B, `t-${B}`));
    log(close(T, temporary, TWO));
    log({ ...saveOver(B, ownBase(made), ownBase(made), base), keepsOid: false } as ClientOperation);
    save();
    pull();
    expect(shown("a")).toBe(B);
    expect(replica.visible.object(A)?.sha256).toBe(TWO);
  });

  test("stays when that other file was edited here too, and the edit is removed", () => {
    const { base, temporary, save } = prepare();
    log(close(T, temporary, TWO));
    const edit = log(close(A, base, THREE));
    log(removeShared(ownBase(edit)));
    save();
    pull();
    expect(shown("a")).toBe(A);
  });

  test("goes when it was seen there and removed", () => {
    const { temporary, save } = prepare();
    const edit = log(close(T, temporary, TWO));
    save();
    pull();
    freeze();
    const seen = pending.followSent(ownBase(edit));
    log(removeShared(seen));
    expect(names()).toEqual([]);
    pull();
    expect(names()).toEqual([]);
  });
});

test("[C5] an own link to where others have moved the file leaves it there", () => {
  share();
  const path = { parent: ROOT_OID, name: parseName("b"), path: "/b", conflict: null };
  log({ opcode: "LINK", oid: A, ...path });
  moveOver("b");
  expect(shown("b")).toBe(A);
  expect(replica.visible.object(A)?.sha256).toBe(ONE);
});

describe("[C5] an own save of a file that turns out to have another name", () => {
  const [MOVED, OTHERS] = ["c3", "d4"].map((byte) => byte.repeat(16) as Oid) as [Oid, Oid];

  /** B was linked as "b", where another file of this client stands by now; the link is logged as a conflict copy. */
  function saveWhileLinkIsCopied(): void {
    const base = share();
    const made = log(create(B, `t-${B}`));
    const moved = log(create(MOVED, "moved"));
    const path = { parent: ROOT_OID, name: parseName("b"), path: "/b", conflict: null };
    log({ opcode: "LINK", oid: B, ...path });
    freeze();
    server.submit(create(OTHERS, "b"));
    push();
    const [content, version] = [made, moved].map((recno) => pending.followSent(ownBase(recno)));
    log({
      ...saveOver(MOVED, version!, version!, content!),
      fromName: parseName("moved"),
      toName: parseName("b"),
      victim: { oid: B, contentBase: content!, isLastName: false },
      keepsOid: false,
    } as ClientOperation);
    // Its author knows of no other name than the temporary one.
    log(saveOver(B, content!, content!, base));
  }

  test("leaves no name that leads to nothing", () => {
    saveWhileLinkIsCopied();
    expect(shown("a")).toBe(A);
    pull();
    const entries = [...replica.visible.children(ROOT_OID)];
    expect(entries.filter(({ oid }) => replica.visible.object(oid) === undefined)).toEqual([]);
  });

  test("is shown as the server will judge it: a move, because a name of it stays", () => {
    saveWhileLinkIsCopied();
    pull();
    expect(shown("a")).toBe(B);
    freeze();
    push();
    pull();
    expect(shown("a")).toBe(B);
    expect(server.state.links(B)).toHaveLength(2);
  });
});

/** A whole atomic save: a temporary file, its content, and the move over what was shared. */
function atomicSave(oid: Oid, victimBase: Base, sha256: Sha256): Base {
  const made = ownBase(log(create(oid, `t-${oid}`)));
  const written = ownBase(log(close(oid, made, sha256)));
  return ownBase(log(saveOver(oid, made, written, victimBase)));
}

test("[D3] an own save whose file is elsewhere by now is a move, and what builds on it goes on there", () => {
  const base = share();
  const [first, second] = ["c3", "d4"].map((byte) => byte.repeat(16) as Oid) as [Oid, Oid];
  const one = atomicSave(first, base, TWO);
  atomicSave(second, one, THREE);
  freeze();
  moveOver("elsewhere");
  expect(shown("a")).toBe(first);
  const { contentVersion, sha256 } = replica.visible.object(first)!;
  expect(sha256).toBe(THREE);
  const four = "04".repeat(32) as Sha256;
  log(close(first, contentVersion, four));
  push();
  pull();
  freeze();
  push();
  pull();
  expect(shown("a")).toBe(first);
  expect(replica.visible.object(first)?.sha256).toBe(four);
  expect(names()).toEqual(["a", "elsewhere"]);
  expect(pending.size).toBe(0);
});

test("[C5] an own save that became a move, and was saved over and removed here, is gone", () => {
  const base = share();
  const [first, second] = ["c3", "d4"].map((byte) => byte.repeat(16) as Oid) as [Oid, Oid];
  const one = atomicSave(first, base, TWO);
  const two = atomicSave(second, one, THREE);
  moveOver("elsewhere");
  expect(names()).toEqual(["a", "elsewhere"]);
  const place = { parent: ROOT_OID, name: parseName("a"), path: "/a", nameBase: one };
  log({ opcode: "UNLINK", oid: first, ...place, contentBase: two, isLastName: true });
  expect(names()).toEqual(["elsewhere"]);
  pull();
  moveShared(ROOT_OID, "elsewhere-2");
  pull();
  expect(names()).toEqual(["elsewhere-2"]);
});

test("[D9] what was not sealed goes with its file, also where its record was not taken back yet", () => {
  const base = share();
  const first = log({ ...close(A, base, TWO), sha256: null } as ClientOperation);
  log({ ...close(A, ownBase(first), THREE), sha256: null } as ClientOperation);
  log(removeShared(base));
  pull();
  expect(names()).toEqual([]);
});

test("[C5] what was written on top of a refused save is shown, as the server keeps it (K5)", () => {
  const base = share();
  const created = ownBase(log(create(B, `t-${B}`)));
  const written = ownBase(log(close(B, created, TWO)));
  freeze();
  push();
  pull();
  const made = pending.followSent(created);
  const saved = ownBase(log(saveOver(B, made, pending.followSent(written), base)));
  const nameBase = nameBaseOf(B);
  const place = { parent: ROOT_OID, name: parseName(`t-${B}`), path: "/t", nameBase };
  const contentBase = server.state.object(B)!.contentVersion;
  server.submit({ opcode: "UNLINK", oid: B, ...place, contentBase, isLastName: true });
  freeze();
  push();
  log(close(A, pending.followSent(saved), THREE));
  server.submit(removeShared(base));
  pull();
  expect(names()).toEqual(["a"]);
  expect(replica.visible.object(A)?.sha256).toBe(THREE);
  freeze();
  push();
  pull();
  expect(names()).toEqual(["a"]);
  expect(replica.visible.object(A)?.sha256).toBe(THREE);
});

test("[C5] the last name stays, with what was written here, where its removal meant one of several", () => {
  const base = share();
  const place = { parent: ROOT_OID, path: "/", oid: A };
  const unlink = (name: string, nameBase: Base, isLastName: boolean): ClientOperation => {
    const removed = { ...place, name: parseName(name), nameBase, contentBase: base, isLastName };
    return { opcode: "UNLINK", ...removed };
  };
  server.submit({ opcode: "LINK", ...place, name: parseName("b"), conflict: null });
  pull();
  const [a, b] = server.state.links(A);
  log(close(A, base, TWO));
  log(unlink("a", a!.version, false));
  expect(names()).toEqual(["b"]);
  server.submit(unlink("b", b!.version, false));
  pull();
  expect(names()).toEqual(["a"]);
  expect(replica.visible.object(A)?.sha256).toBe(TWO);
});

test("[C8] what others made under a name shows when what was made and removed under it is left out", () => {
  const made = ownBase(log(create(B, "x")));
  const place = { parent: ROOT_OID, name: parseName("x"), path: "/x" };
  const bases = { nameBase: made, contentBase: made, isLastName: true };
  log({ opcode: "UNLINK", oid: B, ...place, ...bases });
  server.submit(create(A, "x"));
  pull();
  expect(names()).toEqual([]);
  for (const { covers, record } of pending.sendable()) {
    expect(record).toBeNull();
    log({ opcode: "SENT", covers, operation: null });
  }
  const changes = replica.showUncovered().names;
  expect(changes.map(({ name, after }) => [name, after?.oid])).toEqual([["x", A]]);
  expect(names()).toEqual(["x"]);
});

describe("[C5] a directory that was removed here while others moved something into it", () => {
  const [D, E] = ["d4", "e5"].map((byte) => byte.repeat(16) as Oid) as [Oid, Oid];
  const removeDirectory = (): ClientOperation => {
    const place = { parent: ROOT_OID, name: parseName("d"), path: "/d" };
    return { opcode: "RMDIR", oid: D, ...place, nameBase: nameBaseOf(D) };
  };
  /** A directory that both sides know, and a file beside it in which this client writes. */
  function prepare(): void {
    const base = share();
    for (const [oid, name] of [
      [D, "d"],
      [E, "e"],
    ] as const)
      server.submit(directory(oid, name));
    pull();
    log(close(A, base, TWO));
  }
  test("is there again with what this client writes in it, and stays", () => {
    prepare();
    log(removeDirectory());
    expect(names()).toEqual(["a", "e"]);
    moveShared(D, "a");
    const { changes } = pull();
    expect(changes.names.map(({ name, after }) => [name, after?.oid])).toEqual(
      expect.arrayContaining([
        ["d", D],
        ["a", A],
      ]),
    );
    expect(names()).toEqual(["d", "e"]);
    expect(replica.visible.links(A).map(({ parent }) => parent)).toEqual([D]);
    freeze();
    push();
    expect(pull().changes.names).toEqual([]);
    const outcomes = server.log.filter(({ operation }) => operation.opcode === "OUTCOME");
    expect(outcomes).toMatchObject([{ operation: { reason: "not-empty" } }]);
    expect(replica.visible.object(A)?.sha256).toBe(TWO);
  });

  test("stands beside what this client has made of its name", () => {
    prepare();
    log(removeDirectory());
    log(directory(B, "d"));
    moveShared(D, "a");
    pull();
    expect(shown("d")).toBe(B);
    expect(names()).toEqual(["d", "d.conflict-19700101T000000Z-server", "e"]);
    expect(replica.visible.links(A).map(({ parent }) => parent)).toEqual([D]);
    freeze();
    push();
    pull();
    expect(names()).toEqual(["d", "e"]);
    expect(replica.visible.object(A)?.sha256).toBe(TWO);
  });

  test("stands beside the directory that this client has moved over it", () => {
    prepare();
    const from = { fromParent: ROOT_OID, fromName: parseName("e"), fromPath: "/e" };
    const to = { toParent: ROOT_OID, toName: parseName("d"), toPath: "/d", keepsOid: false };
    const victim = { oid: D, contentBase: server.state.object(D)!.contentVersion };
    const versions = {
      contentBase: server.state.object(E)!.contentVersion,
      fromBase: nameBaseOf(E),
      victim: { ...victim, isLastName: true },
    };
    log({ opcode: "RENAME", oid: E, ...from, ...to, ...versions, conflict: null });
    expect(names()).toEqual(["a", "d"]);
    moveShared(D, "a");
    pull();
    expect(shown("d")).toBe(E);
    expect(names()).toEqual(["d", "d.conflict-19700101T000000Z-server"]);
    expect(replica.visible.links(A).map(({ parent }) => parent)).toEqual([D]);
    freeze();
    push();
    pull();
    expect(shown("d")).toBe(D);
    expect(names()).toEqual(["d", "d.conflict-19700101T000000Z-laptop"]);
    expect(replica.visible.object(A)?.sha256).toBe(TWO);
  });
});

test("[C5] what somebody else brought back elsewhere has one place, although its own record waits", () => {
  log({ ...create(B, "mine"), opcode: "MKDIR" } as ClientOperation);
  server.submit({ ...create(B, "theirs"), opcode: "MKDIR" } as ClientOperation);
  pull();
  expect(replica.visible.links(B)).toHaveLength(1);
  expect(names()).toEqual(["theirs"]);
});

test("[C5] a directory stays out of itself, where somebody else moved its new place below it", () => {
  const makeDirectory = (oid: Oid, name: string): void =>
    server.submit({ ...create(oid, name), opcode: "MKDIR" } as ClientOperation);
  const moveBelow = (oid: Oid, name: string, toParent: Oid): ClientOperation => ({
    opcode: "RENAME",
    oid,
    contentBase: server.state.object(oid)!.contentVersion,
    fromParent: ROOT_OID,
    fromName: parseName(name),
    fromPath: `/${name}`,
    fromBase: server.state.links(oid)[0]!.version,
    toParent,
    toName: parseName(name),
    toPath: `/${name}`,
    victim: null,
    keepsOid: false,
    conflict: null,
  });
  makeDirectory(A, "a");
  makeDirectory(B, "b");
  pull();
  log(moveBelow(A, "a", B));
  expect(names()).toEqual(["b"]);
  server.submit(moveBelow(B, "b", A));
  pull();
  expect(names()).toEqual(["a"]);
  expect(replica.visible.links(B).map(({ parent }) => parent)).toEqual([A]);
});

test("[C5] pull() changes no base of a record that waits", () => {
  const base = share();
  const recno = log(close(A, base, TWO));
  server.submit(close(A, base, THREE));
  pull();
  expect(pending.unsentRecord(recno)?.operation).toMatchObject({ contentBase: base });
  freeze();
  expect(replica.toSend[0]?.submitted.operation).toMatchObject({ contentBase: base });
});

test("[C5] pull() moves the local content of a record that became a copy", () => {
  const base = share();
  log(close(A, base, TWO));
  server.submit(close(A, base, THREE));
  freeze();
  push();
  const { changes } = pull();
  const copy = changes.moves[0]!.to;
  expect(changes.moves).toEqual([{ from: A, to: copy }]);
  expect(replica.visible.object(A)?.sha256).toBe(THREE);
  expect(replica.visible.object(copy)).toMatchObject({ sha256: TWO, conflict: { of: A } });
  expect(names()).toHaveLength(2);
  expect(pending.size).toBe(0);
});

test("[C5] pull() moves the content of a later save that waits, too, wherever it shows now", () => {
  const base = share();
  // Each save is parted from what it was saved over, so the content goes from object to object.
  const [first, second] = ["c3", "d4"].map((byte) => byte.repeat(16) as Oid) as [Oid, Oid];
  const saved = atomicSave(first, base, TWO);
  freeze();
  atomicSave(second, pending.followSent(saved), THREE);
  server.submit(close(A, base, "04".repeat(32) as Sha256));
  push();
  expect(pull().changes.moves).toEqual([{ from: A, to: first }]);
  expect(replica.visible.object(first)?.sha256).toBe(THREE);

  freeze();
  server.submit(
    close(first, server.state.object(first)!.contentVersion, "05".repeat(32) as Sha256),
  );
  push();
  expect(pull().changes.moves).toEqual([{ from: first, to: second }]);
  expect(replica.visible.object(second)?.sha256).toBe(THREE);
});

test("[D3] a record that builds on one that became a copy shows on the copy", () => {
  const base = share();
  const first = log(close(A, base, TWO));
  server.submit(close(A, base, THREE));
  freeze();
  push();
  log(close(A, pending.followSent({ peer: ME, recno: first }), ONE));
  const { changes } = pull();
  expect(replica.visible.object(changes.moves[0]!.to)?.sha256).toBe(ONE);
  expect(replica.visible.object(A)?.sha256).toBe(THREE);
});

test("[D3] a record that builds on one that was never sent builds on what that one built on", () => {
  log(create(A, "a"));
  freeze();
  const dropped = log(close(A, { peer: ME, recno: 1 as Recno }, ONE));
  log({ opcode: "SENT", covers: [dropped], operation: null });
  log(close(A, { peer: ME, recno: dropped }, TWO));
  freeze();
  push();
  pull();
  expect(names()).toEqual(["a"]);
  expect(replica.visible.object(A)?.sha256).toBe(TWO);
});

test("[D3] a save stays a save when the content that it saved is taken back with its removal", () => {
  const base = share();
  const created = ownBase(log(create(B, `t-${B}`)));
  freeze();
  push();
  pull();
  const written = log({ ...close(B, created, ONE), sha256: null } as ClientOperation);
  const saved = ownBase(log(saveOver(B, created, ownBase(written), base)));
  log({ opcode: "CANCELLED", recno: written });
  const removal = { opcode: "UNLINK", oid: A, parent: ROOT_OID, name: parseName("a") } as const;
  const nameBase = server.state.links(A)[0]!.version;
  log({ ...removal, path: "/a", nameBase, contentBase: saved, isLastName: true });
  freeze();
  push();
  pull();
  expect(names()).toEqual([]);
});

describe("[P2] what the server is known to hold", () => {
  beforeEach(() => {
    log(create(A, "a"));
    freeze();
  });

  test("is not sent again on this connection, and is on the next unless its trace came", () => {
    const { origin } = replica.toSend[0]!.submitted;
    replica.noteReceived(origin);
    expect(replica.toSend).toEqual([]);
    replica.forgetReceived();
    expect(replica.toSend).toHaveLength(1);
    push();
    pull();
    replica.forgetReceived();
    expect(replica.toSend).toEqual([]);
    expect(replica.acknowledged).toMatchObject(origin);
  });

  test("a record under this id that was not made here is told, and acknowledges nothing", () => {
    const { submitted } = replica.toSend[0]!;
    const origin = { ...submitted.origin, check: "f".repeat(16) };
    server.receive({ ...submitted, origin, operation: create(B, "b") });
    expect(pull().isDiverged).toBe(true);
    expect(names()).toEqual(["a", "b"]);
    expect(pending.size).toBe(1);
    expect(replica.acknowledged).toEqual(START);
  });
});

test("[D9] a content that is sealed after its save shows under what it was saved to, without deriving the tree anew", () => {
  const created = log(create(A, "a"));
  const open = { sha256: null };
  const before = log({ ...close(A, ownBase(created), ONE), ...open });
  const temporary = log(create(B, `t-${B}`));
  const closed = log({ ...close(B, ownBase(temporary), ONE), ...open });
  log(saveOver(B, ownBase(temporary), ownBase(closed), ownBase(before)));
  const tree = replica.visible;
  const content = { sizeBytes: 7, mtimeNs: 8n, sha256: TWO };
  const { changes } = logged({ opcode: "SEALED", recno: closed, ...content });

  expect(changes.objects).toEqual([]);
  expect(replica.visible).toBe(tree);
  expect(replica.visible.object(A)).toMatchObject(content);
  // A content that is hidden by the save shows nowhere.
  const hidden = { sizeBytes: 1, mtimeNs: 2n, sha256: THREE };
  logged({ opcode: "SEALED", recno: before, ...hidden });
  expect(replica.visible).toBe(tree);
  const readBack = new Replica(new MemoryState(), 0 as Recno, pending, START);
  expect(readBack.visible.object(A)).toEqual(replica.visible.object(A));
});

test("[P2] the outcome of a record that was not made here is not followed", () => {
  const base = share();
  const first = log(close(A, base, TWO));
  freeze();
  log(close(A, pending.followSent({ peer: ME, recno: first }), ONE));
  const { submitted } = replica.toSend[0]!;
  const origin = { ...submitted.origin, check: "f".repeat(16) };
  server.submit(close(A, base, THREE));
  // Under the number of the first, another's record becomes a conflict copy.
  server.receive({ ...submitted, origin, operation: close(A, base, "04".repeat(32) as Sha256) });
  expect(pull().isDiverged).toBe(true);
  expect(replica.visible.object(A)?.sha256).toBe(ONE);
});

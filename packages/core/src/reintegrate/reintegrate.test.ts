import { describe, expect, it } from "vitest";

import {
  EMPTY_SHA256,
  ROOT_OID,
  type Oid,
  type PeerId,
  type Recno,
  type Sha256,
} from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type { Base, ClientOperation } from "../kml/operation.ts";
import type { ServerRecord } from "../kml/record.ts";
import { MemoryState } from "../replay/memory-state.ts";
import { objectPath } from "../replay/path-of.ts";
import { replay } from "../replay/replay.ts";
import { conflictPolicies, type PolicyOf, type PolicyRule } from "./conflict-policy.ts";
import { logDecision } from "./log-decision.ts";
import { reintegrate, type SubmittedRecord } from "./reintegrate.ts";
import { standingConflict } from "./standing-conflict.ts";

const ACTOR = { uid: 0, gid: 0, groups: [], command: "test" };
const SERVER = "5e".repeat(16) as PeerId;
/** 2026-01-02T03:04:05Z */
const AUTHOR_TIME_NS = 1_767_323_045_000_000_000n;

/** A server's log, and peers that hand records to it. */
class Log {
  readonly state = new MemoryState();
  readonly records: ServerRecord[] = [];
  readonly #sent = new Map<string, number>();
  readonly #policyOf: PolicyOf;

  constructor(...rules: readonly PolicyRule[]) {
    this.#policyOf = conflictPolicies(rules);
  }

  /** Judges and logs one record, and gives back what became of it. */
  push(host: string, operation: ClientOperation, contentToCome?: Sha256, revives?: Recno) {
    const peer = host.padEnd(32, "0") as PeerId;
    const number = (this.#sent.get(host) ?? 0) + 1;
    this.#sent.set(host, number);
    const origin = { peer, recno: number as Recno, check: "c".repeat(16) };
    const submitted: SubmittedRecord = {
      origin,
      authorTimeNs: AUTHOR_TIME_NS,
      actor: ACTOR,
      operation,
    };
    const decision = reintegrate(submitted, this.state, {
      host,
      contentToCome: () => contentToCome,
      revives: () => revives,
      policyOf: this.#policyOf,
    });
    const headRecno = this.records.length as Recno;
    for (const record of logDecision(decision, submitted, {
      headRecno,
      headTimeNs: 0n,
      nowNs: 1n,
      server: SERVER,
    })) {
      replay(record, this.state, (record.recno - 1) as Recno);
      this.records.push(record);
    }
    return {
      verdict: decision.verdict,
      reason: decision.reason,
      origin: { peer, recno: origin.recno },
    };
  }

  /** Every file of the tree: path and content. */
  files(): Record<string, string> {
    const files: Record<string, string> = {};
    for (const { oid, kind, sha256, target } of this.state.objects()) {
      if (oid !== ROOT_OID)
        files[objectPath(this.state, oid)] = kind === "file" ? (sha256 ?? "") : target || kind;
    }
    return files;
  }

  get head(): Recno {
    return this.records.length as Recno;
  }
}

const oid = (letter: string): Oid => letter.repeat(32) as Oid;
const content = (letter: string): Sha256 => letter.repeat(64) as Sha256;
const created = (id: string, name: string, parent = ROOT_OID): ClientOperation => ({
  opcode: "CREATE",
  oid: oid(id),
  parent,
  name: name as Name,
  path: `/${name}`,
  mode: 0o644,
  uid: 1,
  gid: 1,
  mtimeNs: 0n,
  conflict: null,
});
const made = (id: string, name: string, parent = ROOT_OID): ClientOperation =>
  ({ ...created(id, name, parent), opcode: "MKDIR" }) as ClientOperation;
const symlinked = (id: string, name: string, target: string): ClientOperation =>
  ({ ...created(id, name), opcode: "SYMLINK", target }) as ClientOperation;
const linked = (id: string, name: string): ClientOperation => ({
  opcode: "LINK",
  oid: oid(id),
  parent: ROOT_OID,
  name: name as Name,
  path: `/${name}`,
  conflict: null,
});
const closed = (id: string, bytes: string, contentBase: Base): ClientOperation => ({
  opcode: "CLOSE",
  oid: oid(id),
  path: "/a",
  contentBase,
  sizeBytes: 1,
  mtimeNs: 0n,
  sha256: content(bytes),
  conflict: null,
});
const unlinked = (
  id: string,
  name: string,
  nameBase: Base,
  contentBase: Base,
  isLastName = true,
): ClientOperation => ({
  opcode: "UNLINK",
  oid: oid(id),
  parent: ROOT_OID,
  name: name as Name,
  path: `/${name}`,
  nameBase,
  contentBase,
  isLastName,
});
const removed = (id: string, name: string, nameBase: Base, parent = ROOT_OID): ClientOperation => ({
  opcode: "RMDIR",
  oid: oid(id),
  parent,
  name: name as Name,
  path: `/${name}`,
  nameBase,
});
const renamed = (
  id: string,
  from: string,
  to: string,
  fromBase: Base,
  more: {
    contentBase?: Base;
    victim?: { oid: Oid; contentBase: Base; isLastName: boolean };
    keepsOid?: boolean;
    toParent?: Oid;
  } = {},
): ClientOperation => ({
  opcode: "RENAME",
  oid: oid(id),
  contentBase: more.contentBase ?? fromBase,
  fromParent: ROOT_OID,
  fromName: from as Name,
  fromPath: `/${from}`,
  fromBase,
  toParent: more.toParent ?? ROOT_OID,
  toName: to as Name,
  toPath: `/${to}`,
  victim: more.victim ?? null,
  keepsOid: more.keepsOid ?? false,
  conflict: null,
});
const victimOf = (id: string, contentBase: Base) => ({
  oid: oid(id),
  contentBase,
  isLastName: true,
});
const modeSet = (id: string, mode: number, base: Base): ClientOperation => ({
  opcode: "SETATTR",
  oid: oid(id),
  path: "/a",
  attributes: { base, mode, uid: 1, gid: 1 },
  times: null,
});

const attributeSet = (id: string, value: number, base: Base): ClientOperation => ({
  opcode: "SETEXTATTR",
  oid: oid(id),
  path: "/a",
  attribute: "user.colour",
  value: Uint8Array.of(value),
  base,
});

/** A log with the file `/a` (object a) of content 1 and rules for conflicts: name and attributes of recno 1, content of recno 2. */
function withFile(...rules: readonly PolicyRule[]): Log {
  const log = new Log(...rules);
  log.push("one", created("a", "a"));
  log.push("one", closed("a", "1", 1 as Recno));
  return log;
}

const V1 = 1 as Recno;
const V2 = 2 as Recno;
const COPY = "a.conflict-20260102T030405Z-two";

interface Case {
  readonly description: string;
  readonly log: () => Log;
  /** What peer `one` has logged before peer `two` is judged. */
  readonly first: readonly ClientOperation[];
  readonly judged: ClientOperation;
  readonly contentToCome?: Sha256;
  readonly verdict: string;
  readonly files: Record<string, string>;
}

const CASES: readonly Case[] = [
  {
    description: "[K1] [K8] a base that holds: applied",
    log: () => withFile(),
    first: [],
    judged: closed("a", "2", V2),
    verdict: "applied",
    files: { "/a": content("2") },
  },
  {
    description: "[K10] edit and edit: the first logged keeps the name, the later becomes a copy",
    log: () => withFile(),
    first: [closed("a", "2", V2)],
    judged: closed("a", "3", V2),
    verdict: "copied",
    files: { "/a": content("2"), [`/${COPY}`]: content("3") },
  },
  {
    description: "[K9] edit and edit with equal content: merged",
    log: () => withFile(),
    first: [closed("a", "2", V2)],
    judged: closed("a", "2", V2),
    verdict: "merged",
    files: { "/a": content("2") },
  },
  {
    description: "[K11] delete, then edit: the edit survives under its own id",
    log: () => withFile(),
    first: [unlinked("a", "a", V1, V2)],
    judged: closed("a", "3", V2),
    verdict: "applied",
    files: { "/a": content("3") },
  },
  {
    description: "[K24] edit, then delete: the edit survives",
    log: () => withFile(),
    first: [closed("a", "3", V2)],
    judged: unlinked("a", "a", V1, V2),
    verdict: "refused",
    files: { "/a": content("3") },
  },
  {
    description: "[K22] delete and delete: merged",
    log: () => withFile(),
    first: [unlinked("a", "a", V1, V2)],
    judged: unlinked("a", "a", V1, V2),
    verdict: "merged",
    files: {},
  },
  {
    description: "[K8] edit and rename: both apply",
    log: () => withFile(),
    first: [renamed("a", "a", "b", V1)],
    judged: closed("a", "3", V2),
    verdict: "applied",
    files: { "/b": content("3") },
  },
  {
    description: "[K22] rename, then delete of the old name: the file stays under its new one",
    log: () => withFile(),
    first: [renamed("a", "a", "b", V1)],
    judged: unlinked("a", "a", V1, V2),
    verdict: "merged",
    files: { "/b": content("1") },
  },
  {
    description: "[K28] rename and rename of one object: the first logged holds",
    log: () => withFile(),
    first: [renamed("a", "a", "b", V1)],
    judged: renamed("a", "a", "c", V1),
    verdict: "refused",
    files: { "/b": content("1") },
  },
  {
    description: "[K28] the same rename twice: merged",
    log: () => withFile(),
    first: [renamed("a", "a", "b", V1)],
    judged: renamed("a", "a", "b", V1),
    verdict: "merged",
    files: { "/b": content("1") },
  },
  {
    description: "[K19] create and create of one name: the later becomes a copy",
    log: () => withFile(),
    first: [],
    judged: created("b", "a"),
    contentToCome: content("2"),
    verdict: "copied",
    files: { "/a": content("1"), [`/${COPY}`]: EMPTY_SHA256 },
  },
  {
    description: "[K18] create and create with equal content: merged",
    log: () => withFile(),
    first: [],
    judged: created("b", "a"),
    contentToCome: content("1"),
    verdict: "merged",
    files: { "/a": content("1") },
  },
  {
    description: "[K18] mkdir and mkdir: merged",
    log: () => new Log(),
    first: [made("d", "d")],
    judged: made("e", "d"),
    verdict: "merged",
    files: { "/d": "directory" },
  },
  {
    description: "[K19] file against directory: the first logged keeps the name",
    log: () => withFile(),
    first: [],
    judged: made("d", "a"),
    verdict: "copied",
    files: { "/a": content("1"), [`/${COPY}`]: "directory" },
  },
  {
    description: "[K26] removal of a directory that got an entry: refused",
    log: () => new Log(),
    first: [made("d", "d"), created("f", "f", oid("d"))],
    judged: removed("d", "d", V1),
    verdict: "refused",
    files: { "/d": "directory", "/d/f": EMPTY_SHA256 },
  },
  {
    description: "[K15] a file made in a removed directory: the directory returns with its id",
    log: () => new Log(),
    first: [made("d", "d"), removed("d", "d", V1)],
    judged: created("f", "f", oid("d")),
    verdict: "applied",
    files: { "/d": "directory", "/d/f": EMPTY_SHA256 },
  },
  {
    description: "[K27] a move that would make a cycle: refused",
    log: () => new Log(),
    first: [made("d", "d"), made("e", "e"), renamed("e", "e", "e", V2, { toParent: oid("d") })],
    judged: renamed("d", "d", "d", V1, { toParent: oid("e") }),
    verdict: "refused",
    files: { "/d": "directory", "/d/e": "directory" },
  },
  {
    description: "[K27] a move into a removed directory: refused, the content stays",
    log: () => {
      const log = withFile();
      log.push("one", made("d", "d"));
      return log;
    },
    first: [removed("d", "d", 3 as Recno)],
    judged: renamed("a", "a", "x", V1, { toParent: oid("d") }),
    verdict: "refused",
    files: { "/a": content("1") },
  },
  {
    description: "[K30] rename over what was edited meanwhile: the moved one takes a copy's name",
    log: () => {
      const log = withFile();
      log.push("two", created("b", "b"));
      return log;
    },
    first: [closed("a", "2", V2)],
    judged: renamed("b", "b", "a", 3 as Recno, {
      victim: { oid: oid("a"), contentBase: V2, isLastName: true },
    }),
    verdict: "copied",
    files: { "/a": content("2"), [`/${COPY}`]: EMPTY_SHA256 },
  },
  {
    description: "[K31] atomic save: the saved object lives on with the new content",
    log: () => {
      const log = withFile();
      log.push("two", created("b", "b"));
      log.push("two", closed("b", "9", 3 as Recno));
      return log;
    },
    first: [],
    judged: renamed("b", "b", "a", 3 as Recno, {
      contentBase: 4 as Recno,
      keepsOid: true,
      victim: { oid: oid("a"), contentBase: V2, isLastName: true },
    }),
    verdict: "applied",
    files: { "/a": content("9") },
  },
  {
    description: "[K33] attributes and content: both apply",
    log: () => withFile(),
    first: [modeSet("a", 0o600, V1)],
    judged: closed("a", "3", V2),
    verdict: "applied",
    files: { "/a": content("3") },
  },
  {
    description: "[K34] attributes and attributes: the first logged holds",
    log: () => withFile(),
    first: [modeSet("a", 0o600, V1)],
    judged: modeSet("a", 0o640, V1),
    verdict: "refused",
    files: { "/a": content("1") },
  },
  {
    description: "[K32] a change of attributes brings nothing back",
    log: () => withFile(),
    first: [unlinked("a", "a", V1, V2)],
    judged: modeSet("a", 0o600, V1),
    verdict: "refused",
    files: {},
  },
  {
    description: "[K23] the last of two names, removed by one who saw both: refused",
    log: () => {
      const log = withFile();
      log.push("one", linked("a", "b"));
      return log;
    },
    first: [unlinked("a", "b", 3 as Recno, V2, false)],
    judged: unlinked("a", "a", V1, V2, false),
    verdict: "refused",
    files: { "/a": content("1") },
  },
  {
    description: "[K14] an id that already means something else: refused",
    log: () => withFile(),
    first: [],
    judged: made("a", "x"),
    verdict: "refused",
    files: { "/a": content("1") },
  },
  {
    description: "[K12] a content for an object that never was: kept as a copy in the root",
    log: () => new Log(),
    first: [],
    judged: closed("7", "7", V1),
    verdict: "copied",
    files: { [`/${COPY}`]: content("7") },
  },
  {
    description: "[K13] the very same object under its name again: merged",
    log: () => withFile(),
    first: [],
    judged: created("a", "a"),
    verdict: "merged",
    files: { "/a": content("1") },
  },
  {
    description: "[K16] a parent that never was a directory: refused",
    log: () => withFile(),
    first: [],
    judged: created("b", "b", oid("a")),
    verdict: "refused",
    files: { "/a": content("1") },
  },
  {
    description: "[K17] a free name: applied",
    log: () => withFile(),
    first: [],
    judged: created("b", "b"),
    verdict: "applied",
    files: { "/a": content("1"), "/b": EMPTY_SHA256 },
  },
  {
    description: "[K18] two links to one place: merged",
    log: () => new Log(),
    first: [symlinked("l", "link", "there")],
    judged: symlinked("m", "link", "there"),
    verdict: "merged",
    files: { "/link": "there" },
  },
  {
    description: "[K19] two links to two places: the later becomes a copy",
    log: () => new Log(),
    first: [symlinked("l", "link", "there")],
    judged: symlinked("m", "link", "elsewhere"),
    verdict: "copied",
    files: { "/link": "there", "/link.conflict-20260102T030405Z-two": "elsewhere" },
  },
  {
    description: "[K20] one more name of what was removed: refused",
    log: () => withFile(),
    first: [unlinked("a", "a", V1, V2)],
    judged: linked("a", "b"),
    verdict: "refused",
    files: {},
  },
  {
    description: "[K21] the same name of one object twice: merged",
    log: () => withFile(),
    first: [linked("a", "b")],
    judged: linked("a", "b"),
    verdict: "merged",
    files: { "/a": content("1") },
  },
  {
    description:
      "[K25] one of two names, removed after an edit: applied, the edit is under the other",
    log: () => withFile(),
    first: [linked("a", "b"), closed("a", "2", V2)],
    judged: unlinked("a", "a", V1, V2, false),
    verdict: "applied",
    files: { "/b": content("2") },
  },
  {
    description: "[K26] removal of an empty directory: applied",
    log: () => new Log(),
    first: [made("d", "d")],
    judged: removed("d", "d", V1),
    verdict: "applied",
    files: {},
  },
  {
    description: "[K29] a move onto what was removed meanwhile: applied",
    log: () => withFile(),
    first: [created("b", "b"), unlinked("a", "a", V1, V2)],
    judged: renamed("b", "b", "a", 3 as Recno, { victim: victimOf("a", V2) }),
    verdict: "applied",
    files: { "/a": EMPTY_SHA256 },
  },
  {
    description: "[K34] attributes, changed to the same by both: merged",
    log: () => withFile(),
    first: [modeSet("a", 0o600, V1)],
    judged: modeSet("a", 0o600, V1),
    verdict: "merged",
    files: { "/a": content("1") },
  },
  {
    description: "[K37] two extended attributes of one file: both apply",
    log: () => withFile(),
    first: [modeSet("a", 0o600, V1)],
    judged: attributeSet("a", 1, 0 as Recno),
    verdict: "applied",
    files: { "/a": content("1") },
  },
  {
    description: "[K37] one extended attribute, changed by both: the first logged holds",
    log: () => withFile(),
    first: [attributeSet("a", 1, 0 as Recno)],
    judged: attributeSet("a", 2, 0 as Recno),
    verdict: "refused",
    files: { "/a": content("1") },
  },
];

describe("reintegrate()", () => {
  it.each(CASES)(
    "[D3] $description",
    ({ log: make, first, judged, contentToCome, verdict, files }) => {
      const log = make();
      for (const operation of first) expect(log.push("one", operation).verdict).toBe("applied");
      expect(log.push("two", judged, contentToCome).verdict).toBe(verdict);
      expect(log.files()).toEqual(files);
    },
  );

  it.each(CASES)(
    "[K2] [P1] leaves exactly one trace: $description",
    ({ log: make, first, judged, contentToCome }) => {
      const log = make();
      for (const operation of first) log.push("one", operation);
      const { origin } = log.push("two", judged, contentToCome);
      const traces = log.records.filter(
        (record) => record.origin.peer === origin.peer && record.origin.recno === origin.recno,
      );
      expect(traces).toHaveLength(1);
      expect(log.state.outcome(origin)?.trace).toBe(traces[0]?.recno);
    },
  );

  it("[K4] [D3] goes on with the copy that an unacknowledged base became", () => {
    const log = withFile();
    log.push("one", closed("a", "2", V2));
    const copied = log.push("two", closed("a", "3", V2));
    expect(log.push("two", closed("a", "4", copied.origin)).verdict).toBe("applied");
    expect(log.files()).toEqual({ "/a": content("2"), [`/${COPY}`]: content("4") });
  });

  it("[K10] leaves alone what came of its copy, where a restored server got that back first", () => {
    const before = withFile();
    before.push("one", closed("a", "2", V2));
    before.push("two", closed("a", "3", V2));
    const copy = Array.from(before.state.objects()).find(({ conflict }) => conflict !== null)!;
    for (const [now, files] of [
      ["3", ["2", "3"]],
      ["7", ["2", "3", "7"]],
    ] as const) {
      const log = withFile();
      log.push("one", closed("a", "2", V2));
      const back = { ...created("0", "back"), oid: copy.oid } as ClientOperation;
      const madeAgain = log.push("three", back);
      log.push("three", {
        ...closed("0", now, madeAgain.origin),
        oid: copy.oid,
      } as ClientOperation);
      log.push("two", closed("a", "3", V2));
      expect(Object.values(log.files()).toSorted((x, y) => (x < y ? -1 : 1))).toEqual(
        files.map(content),
      );
    }
  });

  it("[K4] [K5] [D3] refuses what builds on a refused record, and keeps its content", () => {
    const log = withFile();
    const refusal = log.push("two", created("a", "x"));
    expect(refusal.verdict).toBe("refused");
    expect(log.push("two", modeSet("a", 0o600, refusal.origin)).reason).toBe("base-refused");
    expect(log.push("two", closed("a", "9", refusal.origin)).verdict).toBe("copied");
    expect(Object.values(log.files())).toContain(content("9"));
  });

  it("[K37] [D3] the next change of an attribute builds on an equal one that was merged", () => {
    const log = withFile();
    const first = log.push("one", attributeSet("a", 1, 0 as Recno));
    const merged = log.push("two", attributeSet("a", 1, 0 as Recno));
    expect([first.verdict, merged.verdict]).toEqual(["applied", "merged"]);
    expect(log.push("two", attributeSet("a", 2, merged.origin)).verdict).toBe("applied");
  });

  it("[K11] [K10] a file that returns has its attributes again, and so has a copy", () => {
    const log = withFile();
    log.push("one", attributeSet("a", 1, 0 as Recno));
    log.push("one", closed("a", "2", V2));
    log.push("two", closed("a", "3", V2));
    log.push("one", unlinked("a", "a", V1, 4 as Recno));
    log.push("two", closed("a", "4", 4 as Recno));
    const files = [...log.state.objects()].filter(({ kind }) => kind === "file");
    expect(files.map(({ xattrs }) => [...xattrs.keys()])).toEqual([
      ["user.colour"],
      ["user.colour"],
    ]);
    expect(Object.keys(log.files())).toHaveLength(2);
  });

  it("[K36] [D3] a record with mode and time of which one half holds is applied with that half", () => {
    const log = withFile();
    log.push("one", closed("a", "2", V2));
    const both: ClientOperation = {
      opcode: "SETATTR",
      oid: oid("a"),
      path: "/a",
      attributes: { base: V1, mode: 0o600, uid: 1, gid: 1 },
      times: { contentBase: V2, mtimeNs: 5n },
    };
    expect(log.push("two", both).verdict).toBe("applied");
    expect(log.state.object(oid("a"))).toMatchObject({ mode: 0o600, mtimeNs: 0n });
  });

  it("[K3] [D3] takes the id of a merged object for the one that is left", () => {
    const log = withFile();
    const twin = log.push("two", created("b", "a"), content("1"));
    expect(twin.verdict).toBe("merged");
    expect(log.push("two", modeSet("b", 0o600, twin.origin)).verdict).toBe("applied");
    expect(log.state.object(oid("a"))?.mode).toBe(0o600);
  });

  it("[K35] [D3] a time belongs to the content for which it was given", () => {
    const log = withFile();
    log.push("one", closed("a", "2", V2));
    const late: ClientOperation = {
      opcode: "SETATTR",
      oid: oid("a"),
      path: "/a",
      attributes: null,
      times: { contentBase: V2, mtimeNs: 5n },
    };
    expect(log.push("two", late).verdict).toBe("merged");
    expect(log.state.object(oid("a"))?.mtimeNs).toBe(0n);
  });
});

function conflictsOf(log: Log) {
  return Array.from(log.state.objects(), ({ oid: each }) =>
    standingConflict(each, log.state),
  ).filter((conflict) => conflict !== undefined);
}

describe("standingConflict()", () => {
  it("[K42] says of a copy what it conflicts with, who made it and from what", () => {
    const log = withFile();
    log.push("one", closed("a", "2", V2));
    log.push("two", closed("a", "3", V2));
    expect(conflictsOf(log)).toMatchObject([
      {
        copy: { path: `/${COPY}`, sha256: content("3") },
        original: { oid: oid("a"), path: "/a", sha256: content("2") },
        host: "two",
        time: "2026-01-02T03:04:05Z",
        base: V2,
        ours: content("2"),
        theirs: content("3"),
      },
    ]);
  });

  it.each([
    { description: "a moved object", judged: renamed("b", "b", "a", 3 as Recno), copy: "b" },
    { description: "a link", judged: linked("b", "a"), copy: "b" },
  ])("[K42] stands for $description that found its name taken", ({ judged, copy }) => {
    const log = withFile();
    log.push("one", created("b", "b"));
    expect(log.push("two", judged).verdict).toBe("copied");
    expect(conflictsOf(log)).toMatchObject([
      { copy: { oid: oid(copy), path: `/${COPY}` }, original: { path: "/a" } },
    ]);
  });

  it("[K42] ends when the copy gets a name of its own, or is removed", () => {
    const log = withFile();
    log.push("one", created("b", "b"));
    log.push("two", renamed("b", "b", "a", 3 as Recno));
    log.push("two", renamed("b", COPY, "mine", 4 as Recno));
    expect(log.files()).toHaveProperty("/mine");
    expect(conflictsOf(log)).toEqual([]);
  });

  it("[K11] stands for a file that returned where its name was taken", () => {
    const log = withFile();
    log.push("one", created("b", "b"));
    log.push("one", renamed("b", "b", "a", 3 as Recno, { victim: victimOf("a", V2) }));
    expect(log.push("two", closed("a", "3", V2)).verdict).toBe("applied");
    expect(conflictsOf(log)).toMatchObject([
      {
        copy: { oid: oid("a"), path: `/${COPY}`, sha256: content("3") },
        original: { oid: oid("b"), path: "/a" },
        base: V2,
        theirs: content("3"),
      },
    ]);
  });

  it("[K15] stands for a directory that returned where its name was taken", () => {
    const log = new Log();
    log.push("one", made("d", "a"));
    log.push("one", removed("d", "a", V1));
    log.push("one", created("b", "a"));
    expect(log.push("two", created("f", "f", oid("d"))).verdict).toBe("applied");
    expect(conflictsOf(log)).toMatchObject([
      { copy: { oid: oid("d"), path: `/${COPY}` }, original: { path: "/a" } },
    ]);
    expect(log.files()).toHaveProperty(`/${COPY}/f`);
  });

  it("[K42] stays when what kept the name is removed", () => {
    const log = withFile();
    log.push("one", closed("a", "2", V2));
    log.push("two", closed("a", "3", V2));
    log.push("one", unlinked("a", "a", V1, 3 as Recno));
    expect(conflictsOf(log)).toMatchObject([{ copy: { path: `/${COPY}` }, original: null }]);
  });
});

/** All contents in the log, in its order. */
function contents(log: Log): (Sha256 | null)[] {
  return log.records.flatMap(({ operation }) =>
    operation.opcode === "CLOSE" ? [operation.sha256] : [],
  );
}

describe("reintegrate() with a policy", () => {
  const ours = { path: "/a", policy: "ours" } as const;
  const theirs = { path: "/a", policy: "theirs" } as const;
  const aside = { path: "a", policy: "aside" } as const;

  it("[K44] aside: the copy stands under the same path in a directory of its own", () => {
    const log = new Log(aside);
    log.push("one", made("d", "d"));
    log.push("one", created("a", "a", oid("d")));
    log.push("one", closed("a", "1", 2 as Recno));
    log.push("one", closed("a", "2", 3 as Recno));
    expect(log.push("two", closed("a", "3", 3 as Recno)).verdict).toBe("copied");
    expect(log.push("three", closed("a", "4", 3 as Recno)).verdict).toBe("copied");
    expect(log.files()).toEqual({
      "/d": "directory",
      "/d/a": content("2"),
      "/.izo-conflicts": "directory",
      "/.izo-conflicts/d": "directory",
      [`/.izo-conflicts/d/${COPY}`]: content("3"),
      [`/.izo-conflicts/d/${COPY.replace("two", "three")}`]: content("4"),
    });
    expect(conflictsOf(log)).toMatchObject([
      { original: { path: "/d/a" } },
      { original: { path: "/d/a" } },
    ]);
  });

  it("[K44] aside: where something else has the directory's name, the copy stands beside", () => {
    const log = withFile(aside);
    log.push("one", created("b", ".izo-conflicts"));
    log.push("one", closed("a", "2", V2));
    log.push("two", closed("a", "3", V2));
    expect(log.files()).toHaveProperty(`/${COPY}`);
  });

  it("[K44] aside: what is moved or made there, and a copy of a copy, stay in reach", () => {
    const log = withFile(aside);
    log.push("one", created("b", "b"));
    log.push("two", renamed("b", "b", "a", 3 as Recno));
    log.push("three", created("c", "a"), content("3"));
    const names = Object.keys(log.files());
    expect(names).toContain(`/.izo-conflicts/${COPY}`);
    expect(names).toContain(`/.izo-conflicts/${COPY.replace("two", "three")}`);
    const { contentVersion } = log.state.object(oid("c"))!;
    log.push("one", closed("c", "4", contentVersion));
    log.push("four", closed("c", "5", contentVersion));
    const last = Object.entries(log.files()).find(([, bytes]) => bytes === content("5"))!;
    expect(last[0]).toMatch(/^\/\.izo-conflicts\/a\.conflict-[^/]+-four$/);
  });

  it("[K45] theirs: the later content replaces the first, which is in the log", () => {
    const log = withFile(theirs);
    log.push("one", closed("a", "2", V2));
    expect(log.push("two", closed("a", "3", V2)).verdict).toBe("applied");
    expect(log.files()).toEqual({ "/a": content("3") });
    expect(contents(log)).toEqual([content("1"), content("2"), content("3")]);
  });

  it("[K45] theirs: two new files of one name become one", () => {
    const log = withFile(theirs);
    const twin = log.push("two", created("b", "a"), content("2"));
    expect(log.push("two", closed("b", "2", twin.origin)).verdict).toBe("applied");
    expect(log.files()).toEqual({ "/a": content("2") });
    expect(log.state.object(oid("a"))?.sha256).toBe(content("2"));
  });

  it("[K45] theirs: a file that is moved onto an edited one replaces it", () => {
    const log = withFile(theirs);
    log.push("one", created("b", "b"));
    log.push("one", closed("a", "2", V2));
    const over = renamed("b", "b", "a", 3 as Recno, { victim: victimOf("a", V2) });
    expect(log.push("two", over).verdict).toBe("applied");
    expect(log.files()).toEqual({ "/a": EMPTY_SHA256 });
  });

  it("[K46] ours: the first stays, the later content is in the log and not in the tree", () => {
    const log = withFile(ours);
    log.push("one", closed("a", "2", V2));
    expect(log.push("two", closed("a", "3", V2)).verdict).toBe("copied");
    expect(log.files()).toEqual({ "/a": content("2") });
    expect(contents(log)).toContain(content("3"));
    expect(conflictsOf(log)).toEqual([]);
  });

  it("[K46] ours: so does what the same author goes on to write, and a new file's content", () => {
    const log = withFile(ours);
    log.push("one", closed("a", "2", V2));
    const lost = log.push("two", closed("a", "3", V2));
    log.push("two", closed("a", "4", lost.origin));
    const twin = log.push("three", created("b", "a"), content("5"));
    log.push("three", closed("b", "5", twin.origin));
    expect(log.files()).toEqual({ "/a": content("2") });
    expect(contents(log)).toEqual(["1", "2", "3", "4", "5"].map(content));
  });

  it.each([ours, theirs, aside])(
    "[K5] $policy: what nobody was against is applied as ever",
    (rule) => {
      const log = withFile(rule);
      expect(log.push("two", closed("a", "3", V2)).verdict).toBe("applied");
      log.push("one", unlinked("a", "a", V1, 3 as Recno));
      expect(log.push("two", closed("a", "4", 3 as Recno)).verdict).toBe("applied");
      expect(log.files()).toEqual({ "/a": content("4") });
    },
  );
});

describe("reintegrate() of a record that takes back a removal", () => {
  it.each<{ description: string; made: ClientOperation; revives: Recno; verdict: string }>([
    {
      description: "of the object",
      made: created("a", "a"),
      revives: 3 as Recno,
      verdict: "applied",
    },
    { description: "elsewhere", made: created("a", "x"), revives: 3 as Recno, verdict: "applied" },
    {
      description: "but not the last",
      made: created("a", "a"),
      revives: 2 as Recno,
      verdict: "refused",
    },
    {
      description: "of another kind",
      made: made("a", "a"),
      revives: 3 as Recno,
      verdict: "refused",
    },
  ])("[K14] a removal $description: $verdict", ({ made: operation, revives, verdict }) => {
    const log = withFile();
    log.push("one", unlinked("a", "a", V1, V2));
    expect(log.push("two", operation, undefined, revives).verdict).toBe(verdict);
    expect(log.state.object(oid("a")) !== undefined).toBe(verdict === "applied");
  });

  it.each(["d", "e"])(
    "[K14] [K27] not in itself, nor in what was in it: %s is refused, and nothing returns",
    (parent) => {
      const log = new Log();
      log.push("one", made("d", "d"));
      log.push("one", made("e", "e", oid("d")));
      log.push("one", removed("e", "e", 2 as Recno, oid("d")));
      log.push("one", removed("d", "d", V1));
      const { verdict } = log.push("two", made("d", "x", oid(parent)), undefined, 4 as Recno);
      expect(verdict).toBe("refused");
      expect(log.state.object(oid("d"))).toBeUndefined();
    },
  );

  it("[K14] [K19] under a name that is taken meanwhile gives a copy's name, and the id back", () => {
    const log = withFile();
    log.push("one", unlinked("a", "a", V1, V2));
    log.push("one", symlinked("b", "a", "elsewhere"));
    expect(log.push("two", created("a", "a"), undefined, 3 as Recno).verdict).toBe("copied");
    expect(log.state.object(oid("a"))).toBeDefined();
  });
});

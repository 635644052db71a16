import { describe, expect, test } from "vitest";

import { ROOT_OID, type Oid, type PeerId, type Sha256 } from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import { MemoryState, rootObject } from "../replay/memory-state.ts";
import type { ObjectKind, TreeObject } from "../replay/tree-object.ts";
import { Random } from "../testing/simulation/random.ts";
import { JudgedLog } from "../testing/undo/judged-log.ts";
import { randomChange } from "../testing/undo/random-change.ts";
import { diffTrees } from "./diff-trees.ts";

const oid = (letter: string): Oid => letter.repeat(32) as Oid;

interface Line {
  readonly id: string;
  readonly at: string;
  readonly in?: string;
  readonly kind?: ObjectKind;
  readonly also?: Partial<TreeObject>;
}

/** A tree of a few objects; `in` is the letter of a directory, the root by default. */
function tree(...lines: readonly Line[]): MemoryState {
  const state = new MemoryState();
  for (const { id, at, in: parent, kind = "file", also = {} } of lines) {
    const sha256 = kind === "file" ? ("1".repeat(64) as Sha256) : null;
    state.putObject({ ...rootObject(), oid: oid(id), kind, sha256, ...also });
    const entry = { parent: parent === undefined ? ROOT_OID : oid(parent), name: at as Name };
    state.putEntry({ ...entry, oid: oid(id), version: rootObject().contentVersion });
  }
  return state;
}

const shown = (before: MemoryState, after: MemoryState): string[] =>
  diffTrees(before, after).map(({ change, path, from, isContentChanged, attributes }) =>
    [change, path, from, isContentChanged ? "content" : null, ...attributes]
      .filter((part) => part !== null)
      .join(" "),
  );

const content = { sha256: "2".repeat(64) as Sha256 };

describe("diffTrees()", () => {
  test.each<{ description: string; before: MemoryState; after: MemoryState; is: string[] }>([
    {
      description: "nothing",
      before: tree({ id: "a", at: "a" }),
      after: tree({ id: "a", at: "a" }),
      is: [],
    },
    {
      description: "what was added and what was removed",
      before: tree({ id: "a", at: "a" }),
      after: tree({ id: "b", at: "b" }),
      is: ["removed /a", "added /b"],
    },
    {
      description: "a content and attributes",
      before: tree({ id: "a", at: "a", also: { mode: 0o600 } }),
      after: tree({ id: "a", at: "a", also: { mode: 0o644, uid: 5, ...content } }),
      is: ["modified /a content mode owner"],
    },
    {
      description: "a moved directory, not what is in it, but for what was changed there",
      before: tree(
        { id: "d", at: "d", kind: "directory" },
        { id: "a", at: "a", in: "d" },
        { id: "b", at: "b", in: "d" },
      ),
      after: tree(
        { id: "d", at: "e", kind: "directory" },
        { id: "a", at: "a", in: "d" },
        { id: "b", at: "b", in: "d", also: content },
      ),
      is: ["renamed /e /d", "modified /e/b content"],
    },
    {
      description: "another object of the same kind under a name: modified",
      before: tree({ id: "a", at: "a" }),
      after: tree({ id: "b", at: "a", also: content }),
      is: ["modified /a content"],
    },
    {
      description: "another object of another kind under a name: removed and added",
      before: tree({ id: "a", at: "a" }),
      after: tree({ id: "b", at: "a", kind: "directory" }),
      is: ["added /a", "removed /a"],
    },
  ])("tells of $description", ({ before, after, is }) => {
    expect(shown(before, after).toSorted()).toEqual(is.toSorted());
  });

  test("adds one way what it removes the other way, and finds nothing in equal trees", () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const random = new Random(seed);
      const log = new JudgedLog();
      const peer = "aa".repeat(16) as PeerId;
      for (let tries = 0; tries < 40; tries += 1) {
        const operation = randomChange(log.state, peer, random);
        if (operation !== null) log.submit(peer, operation);
      }
      const half = log.at(Math.floor(log.head / 2) as typeof log.head);
      const there = diffTrees(half, log.state);
      const back = diffTrees(log.state, half);
      expect(there.filter(({ change }) => change === "added").length).toBe(
        back.filter(({ change }) => change === "removed").length,
      );
      expect(diffTrees(log.state, log.at(log.head))).toEqual([]);
    }
  });
});

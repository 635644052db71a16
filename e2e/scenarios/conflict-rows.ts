/**
 * The table of conflicts (design §7) as things that two people do at once to a small directory each: what
 * stands there before, what the first does, what the later one does without having seen it, and what is
 * there in the end. Each row has a directory of its own; `*` stands for time and host in the name of a copy.
 */
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

/** A host's view of a row's directory. */
export type Act = (at: (name: string) => string) => void;

export interface ConflictRow {
  readonly description: string;
  readonly before?: Act;
  readonly first: Act;
  readonly later: Act;
  /** Paths and contents; `/` for a directory, `-> target` for a link. */
  readonly expected: Readonly<Record<string, string>>;
  /** Copies that stand as conflicts, and what `izo conflicts show` says of each. */
  readonly conflicts?: Readonly<Record<string, readonly (string | RegExp)[]>>;
}

const file =
  (name: string, content: string): Act =>
  (at) =>
    writeFileSync(at(name), content);
const all =
  (...acts: readonly Act[]): Act =>
  (at) => {
    for (const one of acts) one(at);
  };
const move =
  (from: string, to: string): Act =>
  (at) =>
    renameSync(at(from), at(to));
const remove =
  (name: string): Act =>
  (at) =>
    unlinkSync(at(name));
const make =
  (name: string): Act =>
  (at) =>
    mkdirSync(at(name));
const save =
  (name: string, content: string): Act =>
  (at) => {
    writeFileSync(at(`.${name}.new`), content);
    renameSync(at(`.${name}.new`), at(name));
  };

const NOTE = "one\ntwo\nthree\nfour\nfive\n";
const known = file("note.txt", NOTE);
const tree = all(make("d"), make("d/sub"), file("d/sub/f", "known"));
const removeTree: Act = (at) => rmSync(at("d"), { recursive: true });

export const CONFLICT_ROWS: readonly ConflictRow[] = [
  {
    description: "equal edits",
    before: known,
    first: file("note.txt", "the same"),
    later: file("note.txt", "the same"),
    expected: { "note.txt": "the same" },
  },
  {
    description: "mkdir and mkdir",
    first: all(make("d"), file("d/a", "a")),
    later: all(make("d"), file("d/b", "b")),
    expected: { d: "/", "d/a": "a", "d/b": "b" },
  },
  {
    description: "the same move, and the same removal",
    before: all(known, file("old", "old")),
    first: all(move("note.txt", "moved.txt"), remove("old")),
    later: all(move("note.txt", "moved.txt"), remove("old")),
    expected: { "moved.txt": NOTE },
  },
  {
    description: "edit and edit",
    before: known,
    first: file("note.txt", NOTE.replace("two", "TWO")),
    later: file("note.txt", NOTE.replace("two", "zwei").replace("five", "fünf")),
    expected: {
      "note.txt": NOTE.replace("two", "TWO"),
      "note.conflict-*.txt": NOTE.replace("two", "zwei").replace("five", "fünf"),
    },
    conflicts: {
      "note.conflict-*.txt": [
        /^of +\/.+\/note\.txt$/m,
        /^ancestor +24 B, /m,
        "--- ancestor\n+++ ours\n@@ -1,5 +1,5 @@\n one\n-two\n+TWO\n three\n",
        "--- ancestor\n+++ theirs\n@@ -1,5 +1,5 @@\n one\n-two\n+zwei\n three\n four\n-five\n+fünf\n",
        "Both changed the same lines in 1 place",
      ],
    },
  },
  {
    description: "edits of what is no text",
    before: known,
    first: file("note.txt", "\0first"),
    later: file("note.txt", "\0the later"),
    expected: { "note.txt": "\0first", "note.conflict-*.txt": "\0the later" },
    conflicts: { "note.conflict-*.txt": [/^ours +6 B, [0-9a-f]{16}$/m, /^theirs +10 B, .+\n*$/m] },
  },
  {
    description: "atomic save and edit",
    before: known,
    first: save("note.txt", "saved"),
    later: file("note.txt", "edited"),
    expected: { "note.txt": "saved", "note.conflict-*.txt": "edited" },
    conflicts: { "note.conflict-*.txt": ["+saved\n", "+edited\n"] },
  },
  {
    description: "removal, then an edit that had not seen it",
    before: known,
    first: remove("note.txt"),
    later: file("note.txt", "edited"),
    expected: { "note.txt": "edited" },
  },
  {
    description: "edit, then a removal that had not seen it",
    before: known,
    first: file("note.txt", "edited"),
    later: remove("note.txt"),
    expected: { "note.txt": "edited" },
  },
  {
    description: "something moved over a file, then an edit of that file",
    before: all(known, file("x", "moved here")),
    first: move("x", "note.txt"),
    later: file("note.txt", "edited"),
    expected: { "note.txt": "moved here", "note.conflict-*.txt": "edited" },
    conflicts: { "note.conflict-*.txt": [/^of +\/.+\/note\.txt$/m, "+edited"] },
  },
  {
    description: "edit, then something moved over the file",
    before: all(known, file("x", "moved here")),
    first: file("note.txt", "edited"),
    later: move("x", "note.txt"),
    expected: { "note.txt": "edited", "note.conflict-*.txt": "moved here" },
    conflicts: { "note.conflict-*.txt": [/^of +\/.+\/note\.txt$/m, "+moved here"] },
  },
  {
    description: "removal of a tree, then an edit deep in it: the parents return",
    before: tree,
    first: removeTree,
    later: file("d/sub/f", "edited"),
    expected: { d: "/", "d/sub": "/", "d/sub/f": "edited" },
  },
  {
    description: "a tree replaced by another, then an edit in the old one: the directories merge",
    before: tree,
    first: all(removeTree, make("d"), file("d/other", "new")),
    later: file("d/sub/f", "edited"),
    expected: { d: "/", "d/other": "new", "d/sub": "/", "d/sub/f": "edited" },
  },
  {
    description: "a tree replaced by a file, then an edit in it: the tree takes a copy's name",
    before: tree,
    first: all(removeTree, file("d", "a file")),
    later: file("d/sub/f", "edited"),
    expected: {
      d: "a file",
      "d.conflict-*": "/",
      "d.conflict-*/sub": "/",
      "d.conflict-*/sub/f": "edited",
    },
    conflicts: { "d.conflict-*": [/^ours +6 B, /m, /^theirs +a directory$/m] },
  },
  {
    description: "removal, then attributes and a move: neither brings it back",
    before: all(known, file("other", "x")),
    first: all(remove("note.txt"), remove("other")),
    later: all((at) => chmodSync(at("note.txt"), 0o600), move("other", "moved")),
    expected: {},
  },
  {
    description: "move, then an edit: both",
    before: known,
    first: move("note.txt", "moved.txt"),
    later: file("note.txt", "edited"),
    expected: { "moved.txt": "edited" },
  },
  {
    description: "attributes, then an edit: both",
    before: known,
    first: (at) => chmodSync(at("note.txt"), 0o600),
    later: file("note.txt", "edited"),
    expected: { "note.txt": "edited" },
  },
  {
    description: "create and create",
    first: file("new.tar.gz", "first"),
    later: file("new.tar.gz", "later"),
    expected: { "new.tar.gz": "first", "new.conflict-*.tar.gz": "later" },
    conflicts: { "new.conflict-*.tar.gz": [/^ancestor +none: both made the file$/m, "+later"] },
  },
  {
    description: "links to two places",
    first: (at) => symlinkSync("here", at("link")),
    later: (at) => symlinkSync("there", at("link")),
    expected: { link: "-> here", "link.conflict-*": "-> there" },
    conflicts: { "link.conflict-*": [/^ours +a symlink$/m, /^theirs +a symlink$/m] },
  },
  {
    description: "two moves of one file: the first holds",
    before: known,
    first: move("note.txt", "first.txt"),
    later: move("note.txt", "later.txt"),
    expected: { "first.txt": NOTE },
  },
  {
    description: "a new file in a directory, then its removal by one who had not seen the file",
    before: make("d"),
    first: file("d/new", "new"),
    later: (at) => rmdirSync(at("d")),
    expected: { d: "/", "d/new": "new" },
  },
  {
    description: "two moves that together would make a cycle",
    before: all(make("a"), make("b")),
    first: move("a", "b/a"),
    later: move("b", "a/b"),
    expected: { b: "/", "b/a": "/" },
  },
  {
    description: "removal of a directory, then a move into it: the content stays where it was",
    before: all(known, make("d")),
    first: (at) => rmdirSync(at("d")),
    later: move("note.txt", "d/note.txt"),
    expected: { "note.txt": NOTE },
  },
  {
    description: "a file against a directory",
    first: file("x", "a file"),
    later: all(make("x"), file("x/inside", "kept")),
    expected: { x: "a file", "x.conflict-*": "/", "x.conflict-*/inside": "kept" },
    conflicts: { "x.conflict-*": [/^theirs +a directory$/m] },
  },
  {
    description: "an append on both sides, the later one twice: the second goes on in the copy",
    before: known,
    first: (at) => appendFileSync(at("note.txt"), "first\n"),
    later: all(
      (at) => appendFileSync(at("note.txt"), "later\n"),
      (at) => appendFileSync(at("note.txt"), "and more\n"),
    ),
    expected: {
      "note.txt": `${NOTE}first\n`,
      "note.conflict-*.txt": `${NOTE}later\nand more\n`,
    },
    conflicts: { "note.conflict-*.txt": ["+later\n+and more\n"] },
  },
];

/** Does something in a row's directory. */
export function act(root: string, row: number, what: Act): void {
  what((name) => join(root, directoryOf(row), name));
}

/** Name of a row's directory. */
export function directoryOf(row: number): string {
  return `row-${String(row + 1).padStart(2, "0")}`;
}

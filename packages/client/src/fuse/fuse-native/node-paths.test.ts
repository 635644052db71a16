import { type Name, parseName } from "@izo/core";
import { describe, expect, test } from "vitest";

import type { FileSystem, NodeId } from "../file-system.ts";
import { NodePaths } from "./node-paths.ts";

/** Directories by path, with the look-ups and references that a driver made. */
class Directories implements Pick<FileSystem, "lookup" | "forget"> {
  readonly references = new Map<NodeId, number>();
  lookups = 0;
  readonly #entries: Map<string, NodeId>;

  constructor(entries: Record<string, NodeId>) {
    this.#entries = new Map(Object.entries(entries));
  }

  lookup(parent: NodeId, name: Name): NodeId | undefined {
    this.lookups += 1;
    const node = this.#entries.get(`${parent}/${name}`);
    if (node !== undefined) this.references.set(node, (this.references.get(node) ?? 0) + 1);
    return node;
  }

  forget(node: NodeId): void {
    this.references.set(node, (this.references.get(node) ?? 0) - 1);
  }

  set(entry: string, node: NodeId | undefined): void {
    if (node === undefined) this.#entries.delete(entry);
    else this.#entries.set(entry, node);
  }
}

function make() {
  const directories = new Directories({ "1/a": 2, "2/b": 3, "3/c": 4, "1/x": 5 });
  return { directories, paths: new NodePaths(directories as unknown as FileSystem) };
}

describe("NodePaths", () => {
  test("place() looks each directory up once", () => {
    const { directories, paths } = make();
    expect(paths.place("/a/b/c/file")).toEqual({ parent: 4, name: "file" });
    expect(paths.place("/a/b/c/other")).toEqual({ parent: 4, name: "other" });
    expect(directories.lookups).toBe(3);
    expect(paths.pathOf(4)).toBe("/a/b/c");
  });

  test("place() of a missing directory fails with ENOENT", () => {
    const { paths } = make();
    expect(() => paths.place("/none/file")).toThrow(expect.objectContaining({ code: "ENOENT" }));
  });

  test("move() takes what is below along", () => {
    const { paths } = make();
    paths.place("/a/b/c/file");
    paths.move("/a/b", "/x/b", false);
    expect([paths.pathOf(3), paths.pathOf(4)]).toEqual(["/x/b", "/x/b/c"]);
    expect(paths.directory("/x/b/c")).toBe(4);
  });

  test("move() exchanges two directories", () => {
    const { paths } = make();
    paths.place("/a/b/c/file");
    paths.place("/x/file");
    paths.move("/a", "/x", true);
    expect([paths.directory("/x"), paths.directory("/a")]).toEqual([2, 5]);
    expect([paths.pathOf(4), paths.pathOf(5)]).toEqual(["/x/b/c", "/a"]);
  });

  test("refresh() keeps what is still there and drops what is not", () => {
    const { directories, paths } = make();
    paths.place("/a/b/c/file");
    paths.refresh("/a");
    expect(paths.pathOf(4)).toBe("/a/b/c");
    directories.set("1/a", 6);
    paths.refresh("/a");
    expect([paths.pathOf(2), paths.pathOf(4), paths.pathOf(6)]).toEqual([
      undefined,
      undefined,
      "/a",
    ]);
  });

  test("drop() gives back every reference", () => {
    const { directories, paths } = make();
    paths.place("/a/b/c/file");
    paths.adopt("/a", directories.lookup(1, parseName("a")) ?? 0);
    paths.drop("/a");
    expect([...directories.references.values()]).toEqual([0, 0, 0]);
  });
});

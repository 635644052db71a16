import type { Name } from "@izo/core";

import { type FileSystem, type NodeId, rootNode } from "../fuse/file-system.ts";

/**
 * What a kernel believes of names, which it keeps for long (design C7): what a look-up has said counts until a
 * notification takes it back, or a program changes the name itself. A name that means something else by then is one
 * under which programs would go on with the wrong file.
 */
export class BelievedNames {
  readonly #byParent = new Map<NodeId, Map<Name, NodeId | undefined>>();

  /** The file system as a driver sees it: all that goes through here is what a kernel knows. */
  watch(fileSystem: FileSystem): FileSystem {
    return new Proxy(fileSystem, {
      get: (target, method) => {
        const operation: unknown = Reflect.get(target, method);
        if (typeof operation !== "function") return operation;
        return (...given: unknown[]): unknown => {
          const result: unknown = Reflect.apply(operation, target, given);
          const [parent, name] = given as [NodeId, Name];
          if (method === "lookup") this.#of(parent).set(name, result as NodeId | undefined);
          else this.#forgetNamed(given);
          return result;
        };
      },
    });
  }

  /** As of `KernelNotifier`. */
  invalidateEntry(parent: NodeId, name: Name): void {
    this.#byParent.get(parent)?.delete(name);
  }

  /** Names below the root that a kernel would go on to take for something else than they are. */
  findWrong(fileSystem: FileSystem): string[] {
    const wrong: string[] = [];
    const visit = (parent: NodeId, path: string): void => {
      for (const [name, believed] of Array.from(this.#of(parent))) {
        const actual = fileSystem.lookup(parent, name);
        if (actual !== believed) wrong.push(`${path}/${name}: ${believed}, and is ${actual}`);
        else if (actual !== undefined && this.#byParent.has(actual))
          visit(actual, `${path}/${name}`);
      }
    };
    visit(rootNode, "");
    return wrong;
  }

  /** Names that an operation of a program is about: it comes after the directory in which it stands. */
  #forgetNamed(given: readonly unknown[]): void {
    for (const [index, name] of given.entries()) {
      const parent = given[index - 1];
      if (typeof name === "string" && typeof parent === "number")
        this.invalidateEntry(parent, name as Name);
    }
  }

  #of(parent: NodeId): Map<Name, NodeId | undefined> {
    let names = this.#byParent.get(parent);
    if (names === undefined) this.#byParent.set(parent, (names = new Map()));
    return names;
  }
}

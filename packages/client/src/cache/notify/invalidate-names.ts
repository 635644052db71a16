import type { CacheNode } from "../tree/cache-node.ts";
import type { KernelNotifier } from "./kernel-notifier.ts";

/** The names of a node as the kernel's side wants them. */
export function namesOf(
  node: CacheNode,
): { parent: number; name: CacheNode["links"][number]["name"] }[] {
  return node.links.map(({ parent, name }) => ({ parent: parent.id, name }));
}

/** Another inode has taken the names: what the kernel knows under them is not what is there. */
export function invalidateNames(notifier: KernelNotifier, node: CacheNode): void {
  for (const { parent, name } of namesOf(node)) notifier.invalidateEntry(parent, name);
}

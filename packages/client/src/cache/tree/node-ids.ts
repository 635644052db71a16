import { type NodeId, rootNode } from "../../fuse/file-system.ts";

/** Numbers for the nodes of a mount: none is given twice, whichever of its trees a node is in. */
export class NodeIds {
  #last = rootNode;

  next(): NodeId {
    this.#last += 1;
    return this.#last;
  }
}

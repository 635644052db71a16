import type { SimulatedServer } from "./simulated-server.ts";
import type { Host } from "./workload.ts";

/** Programs that change the exported directory on the server itself. */
export function programsOf(server: SimulatedServer): Host {
  return {
    name: "a program on the server",
    peer: null,
    get visible() {
      return server.state;
    },
    contentOf: ({ sha256 }) => sha256,
    do: (operation) => server.edit(operation),
    close: (oid, path, contentBase, sha256) =>
      server.edit({
        opcode: "CLOSE",
        oid,
        path,
        contentBase,
        sizeBytes: 1,
        mtimeNs: 0n,
        sha256,
        conflict: null,
      }),
  };
}

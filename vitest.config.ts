import { availableParallelism } from "node:os";

import { defineConfig } from "vitest/config";

// Everything runs from source: no package needs to be built for its tests.
// vitest also hands these conditions to the Node of its workers, as their execArgv, so a process that a
// test starts with `...process.execArgv` resolves the same way.
const conditions = ["izo:source", "node", "import", "module", "default"];

const shared = {
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
};

const exclude = ["**/node_modules/**", "**/dist/**"];

/** Hundreds of mounts come and go here, and each would take half a second of a core for its code. */
const mounts = { IZO_WARM_UP: "off" };

/** Tests that own the kernel (mounts, namespaces) run one file at a time, in one process. */
const sequential = {
  pool: "forks",
  maxWorkers: 1,
  fileParallelism: false,
  sequence: { concurrent: false },
} as const;

export default defineConfig({
  test: {
    projects: [
      {
        ...shared,
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "scripts/*.test.ts"],
          exclude: [...exclude, "**/*.fuse.test.ts", "**/*.e2e.test.ts"],
          pool: "forks",
          // Half of them wait for disks, sockets and processes, and leave the cores to others.
          maxWorkers: Math.ceil(availableParallelism() * 1.5),
          // Against tests that hang, not slow ones: real disks and processes on a busy machine take their time.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        ...shared,
        test: {
          name: "fuse",
          include: ["packages/*/src/**/*.fuse.test.ts"],
          exclude,
          ...sequential,
          env: mounts,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        ...shared,
        test: {
          name: "e2e",
          include: ["e2e/**/*.e2e.test.ts", "packages/*/src/**/*.e2e.test.ts"],
          exclude,
          ...sequential,
          env: mounts,
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});

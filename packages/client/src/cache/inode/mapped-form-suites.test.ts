/** The suites of the cache once more, with inodes that stand for what they show. */
import { describe } from "vitest";

import { TestCache } from "../../testing/test-cache.ts";

TestCache.defaultForm = "mapped";

describe.each([
  { suite: "recovery", load: () => import("../recovery/recover-tree.test.ts") },
  { suite: "replay", load: () => import("../apply-changes.test.ts") },
  { suite: "eviction", load: () => import("../quota/evict-content.test.ts") },
  { suite: "file system", load: () => import("../../filter/filter.test.ts") },
  { suite: "arriving content", load: () => import("../../filter/arriving-reads.test.ts") },
  { suite: "what is ignored", load: () => import("../../ignored/ignored.test.ts") },
  { suite: "inspection", load: () => import("../../verify/inspect-cache.test.ts") },
])("mapped inodes: $suite", async ({ load }) => {
  await load();
});

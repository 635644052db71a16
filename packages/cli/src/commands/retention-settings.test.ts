import { expect, test } from "vitest";

import { retentionOf } from "./retention-settings.ts";

test("retentionOf() hands on what was said, and leaves the rest to the server", () => {
  expect(retentionOf({ logMinAge: 1, logMaxSize: undefined, oldMaxCount: 0 })).toEqual({
    logRetention: { keepMs: 1 },
    contentRetention: { maxCount: 0 },
  });
});

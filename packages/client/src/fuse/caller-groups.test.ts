import { expect, test } from "vitest";

import { readCallerGroups } from "./caller-groups.ts";

test("readCallerGroups() gives the supplementary groups of a process", () => {
  expect(readCallerGroups(process.pid)).toEqual(process.getgroups?.());
});

test("readCallerGroups() gives none for a process that cannot be seen", () => {
  expect(readCallerGroups(0)).toEqual([]);
});

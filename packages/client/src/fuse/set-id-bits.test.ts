import { expect, test } from "vitest";

import { withoutSetId } from "./set-id-bits.ts";

// Its groups are this process's; nobody has this one.
const other = { uid: 1000, gid: 4_000_000, pid: process.pid };

test.each([
  { description: "nothing of a plain file", mode: 0o100755, caller: other, left: 0o100755 },
  {
    description: "both bits of a program of a group",
    mode: 0o106755,
    caller: other,
    left: 0o100755,
  },
  {
    description: "the owner's bit alone for root where the group may not run it",
    mode: 0o106745,
    caller: { ...other, uid: 0 },
    left: 0o102745,
  },
  {
    description: "the owner's bit alone for a member of the group",
    mode: 0o106745,
    caller: { ...other, gid: 5_000_000 },
    left: 0o102745,
  },
  { description: "both for anybody else", mode: 0o106745, caller: other, left: 0o100745 },
])("withoutSetId() takes away $description", ({ mode, caller, left }) => {
  expect(withoutSetId({ mode, gid: 5_000_000 }, caller).toString(8)).toBe(left.toString(8));
});

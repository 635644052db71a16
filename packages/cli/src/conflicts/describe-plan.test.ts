import type { Recno } from "@izo/core";
import { expect, it } from "vitest";

import { describePlan } from "./describe-plan.ts";

const recno = 1041 as Recno;

it("describePlan() gives a line for each record, and counts outcomes", () => {
  const text = describePlan({
    recno,
    arePoliciesKnown: true,
    records: [
      { opcode: "CLOSE", path: "/a", verdict: "copied", reason: null, becomes: "/a.conflict-x" },
      { opcode: "UNLINK", path: "/b", verdict: "refused", reason: "edited-since", becomes: null },
      { opcode: "CLOSE", path: "/c", verdict: "waits", reason: null, becomes: null },
    ],
  });
  expect(text.split("\n")).toEqual([
    "outcome                operation  path",
    "copied                 CLOSE      /a → /a.conflict-x",
    "refused, edited-since  UNLINK     /b",
    "waits                  CLOSE      /c",
    "",
    "1 copied, 1 refused, 1 waits; judged by the server's tree as of record 1,041",
  ]);
});

it("describePlan() says when it does not know the policies, and when there is nothing", () => {
  expect(describePlan({ recno, arePoliciesKnown: false, records: [] })).toBe(
    "nothing waits to be sent",
  );
  const record = { opcode: "CREATE", path: "/a", verdict: "applied", reason: null } as const;
  const text = describePlan({
    recno,
    arePoliciesKnown: false,
    records: [{ ...record, becomes: null }],
  });
  expect(text).toContain("those built in were taken");
});

import { expect, it } from "vitest";

import { NO_RECNO, ROOT_OID, type Oid } from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type { ClientOperation } from "../kml/operation.ts";
import { isMassRemoval, lastingRemovals } from "./mass-removal.ts";

it.each([
  { removed: 19, names: 19, isMass: false },
  { removed: 20, names: 20, isMass: true },
  { removed: 18, names: 20, isMass: false },
  { removed: 900, names: 1000, isMass: false },
  { removed: 901, names: 1000, isMass: true },
  { removed: 0, names: 0, isMass: false },
])("isMassRemoval($removed, $names) is $isMass", ({ removed, names, isMass }) => {
  expect(isMassRemoval(removed, names)).toBe(isMass);
});

const at = (path: string) => ({
  oid: "a".repeat(32) as Oid,
  parent: ROOT_OID,
  name: path.slice(1) as Name,
  path,
});
const removal = (path: string): ClientOperation => ({
  opcode: "RMDIR",
  ...at(path),
  nameBase: NO_RECNO,
});
const link = (path: string): ClientOperation => ({ opcode: "LINK", ...at(path), conflict: null });

it("lastingRemovals() leaves out what stands again, wherever it came from", () => {
  const records = [removal("/a"), link("/b"), removal("/b"), removal("/c")].map((operation) => ({
    operation,
  }));
  const lasting = lastingRemovals(records).map(({ operation }) => operation);
  expect(lasting).toEqual([removal("/a"), removal("/c")]);
});

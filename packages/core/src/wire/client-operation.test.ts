import { expect, test } from "vitest";

import { ROOT_OID } from "../kml/identity.ts";
import type { Name } from "../kml/name.ts";
import type { Operation } from "../kml/operation.ts";
import { isClientOperation } from "./client-operation.ts";

const made = {
  oid: "01".repeat(16) as typeof ROOT_OID,
  parent: ROOT_OID,
  name: "n" as Name,
  path: "/n",
  mode: 0o644,
  uid: 0,
  gid: 0,
  mtimeNs: 0n,
  conflict: null,
};
const node = { ...made, opcode: "MKNOD", rdev: 0 } as const;
const attributes = { base: 0 as never, mode: 0o600, uid: 1, gid: 1 };
const setattr = { opcode: "SETATTR", oid: made.oid, path: "/n", times: null } as const;

test.each<{ description: string; operation: Operation; isAllowed: boolean }>([
  { description: "a file", operation: { ...made, opcode: "CREATE" }, isAllowed: true },
  {
    description: "a file with the type of a device",
    operation: { ...made, opcode: "CREATE", mode: 0o060644 },
    isAllowed: false,
  },
  {
    description: "a directory of nobody",
    operation: { ...made, opcode: "MKDIR", gid: 0xffff_ffff },
    isAllowed: false,
  },
  { description: "a FIFO", operation: { ...node, mode: 0o010600 }, isAllowed: true },
  {
    description: "a node that is a file",
    operation: { ...node, mode: 0o100600 },
    isAllowed: false,
  },
  { description: "a node of no type", operation: { ...node, mode: 0o600 }, isAllowed: false },
  { description: "new attributes", operation: { ...setattr, attributes }, isAllowed: true },
  {
    description: "new attributes of a FIFO",
    operation: { ...setattr, attributes: { ...attributes, mode: 0o010600 } },
    isAllowed: true,
  },
  {
    description: "attributes with bits that no mode has",
    operation: { ...setattr, attributes: { ...attributes, mode: 0o4000600 } },
    isAllowed: false,
  },
  {
    description: "an owner that is nobody",
    operation: { ...setattr, attributes: { ...attributes, uid: 0xffff_ffff } },
    isAllowed: false,
  },
])("isClientOperation() of $description is $isAllowed", ({ operation, isAllowed }) => {
  expect(isClientOperation(operation)).toBe(isAllowed);
});

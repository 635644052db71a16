import { expect, test } from "vitest";

import { isReplicatedXattr } from "./replicated-xattr.ts";

test.each([
  ["user.colour", true],
  ["system.posix_acl_access", true],
  ["system.posix_acl_default", true],
  ["security.capability", true],
  ["security.selinux", false],
  ["security.ima", false],
  ["trusted.izo", false],
  ["trusted.overlay.opaque", false],
  ["system.nfs4_acl", false],
  ["system.posix_acl_access2", false],
  ["users.colour", false],
  ["user.izo", false],
  ["user.izo.system.posix_acl_access", false],
  ["user.izokinetic", true],
])("isReplicatedXattr(%j) is %s", (name, isReplicated) => {
  expect(isReplicatedXattr(name)).toBe(isReplicated);
});

import { expect, test } from "vitest";

import { kindOfMode } from "./kind-of-mode.ts";

test("kindOfMode goes by the type bits alone", () => {
  const modes = [0o100_644, 0o104_755, 0o040_755, 0o120_777, 0o010_600, 0o140_777, 0o060_660];
  const special = ["special", "special", "special"];
  expect(modes.map(kindOfMode)).toEqual(["file", "file", "directory", "symlink", ...special]);
});

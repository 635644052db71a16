import { expect, it } from "vitest";

import { onAbort } from "./on-abort.ts";

it("onAbort() calls all that wait on a signal, and none that was taken back", () => {
  const controller = new AbortController();
  const called: string[] = [];
  onAbort(controller.signal, () => called.push("one"));
  const forget = onAbort(controller.signal, () => called.push("two"));
  onAbort(controller.signal, () => called.push("three"));
  forget();
  controller.abort();
  expect(called).toEqual(["one", "three"]);
});

import { spawnSync } from "node:child_process";

import { expect, test } from "vitest";

import { DescriptorChannel } from "./descriptor-channel.ts";
import { errorOf } from "./testing/error-of.ts";

test("DescriptorChannel.receive() throws EAGAIN when nothing was sent, and does not wait", () => {
  using channel = new DescriptorChannel();
  expect(errorOf(() => channel.receive()).code).toBe("EAGAIN");
});

test("DescriptorChannel.receive() throws ENOMSG for bytes without a descriptor", () => {
  using channel = new DescriptorChannel();
  spawnSync("sh", ["-c", "printf x >&3"], {
    stdio: ["ignore", "inherit", "inherit", channel.there],
  });
  expect(errorOf(() => channel.receive()).code).toBe("ENOMSG");
});

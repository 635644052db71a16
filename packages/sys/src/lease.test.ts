import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, openSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

import { hasWriter, releaseLease, setReadLease } from "./lease.ts";
import { errorOf } from "./testing/error-of.ts";
import { temporaryDirectory } from "./testing/temporary-directory.ts";

const holdMappingSource = fileURLToPath(new URL("../testing/hold-mapping.c", import.meta.url));

test("hasWriter() is true exactly while a descriptor is open for writing", () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("file"), "");
  const reader = openSync(directory.join("file"), "r");
  try {
    expect(hasWriter(reader)).toBe(false);
    const writer = openSync(directory.join("file"), "a");
    expect(hasWriter(reader)).toBe(true);
    closeSync(writer);
    expect(hasWriter(reader)).toBe(false);
  } finally {
    closeSync(reader);
  }
});

test("hasWriter() is true for a shared mapping whose descriptor is closed", async () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("file"), Buffer.alloc(4096));
  execFileSync("cc", ["-o", directory.join("hold-mapping"), holdMappingSource]);
  const holder = spawn(directory.join("hold-mapping"), [directory.join("file")], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const reader = openSync(directory.join("file"), "r");
  try {
    expect(String((await once(holder.stdout, "data"))[0])).toBe("ready\n");
    expect(hasWriter(reader)).toBe(true);
    const ended = once(holder, "exit");
    holder.stdin.end();
    await ended;
    expect(hasWriter(reader)).toBe(false);
  } finally {
    holder.kill();
    closeSync(reader);
  }
});

test("hasWriter() keeps no lease: a writer that follows does not wait", () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("file"), "");
  const reader = openSync(directory.join("file"), "r");
  try {
    expect(hasWriter(reader)).toBe(false);
    const flags = constants.O_WRONLY | constants.O_NONBLOCK;
    closeSync(openSync(directory.join("file"), flags));
  } finally {
    closeSync(reader);
  }
});

test("setReadLease() keeps writers out until releaseLease(), and a break does not end the process", () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("file"), "");
  const reader = openSync(directory.join("file"), "r");
  const openForWriting = () =>
    openSync(directory.join("file"), constants.O_WRONLY | constants.O_NONBLOCK);
  try {
    setReadLease(reader);
    // This sends the signal of the break to this very process.
    expect(openForWriting).toThrow(expect.objectContaining({ code: "EAGAIN" }));
    releaseLease(reader);
    closeSync(openForWriting());
  } finally {
    closeSync(reader);
  }
});

test("setReadLease() is EAGAIN while somebody can write", () => {
  using directory = temporaryDirectory();
  writeFileSync(directory.join("file"), "");
  const writer = openSync(directory.join("file"), "a");
  const reader = openSync(directory.join("file"), "r");
  try {
    expect(errorOf(() => setReadLease(reader)).code).toBe("EAGAIN");
  } finally {
    closeSync(reader);
    closeSync(writer);
  }
});

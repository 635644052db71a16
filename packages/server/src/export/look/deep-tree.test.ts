import { execFileSync } from "node:child_process";

import { expect, test } from "vitest";

import { openTestExport, temporaryDirectory } from "../../testing/temporary-export.ts";
import { createFile, makeDirectory, newId, TestPeer } from "../../testing/test-peer.ts";
import { inspectExport } from "../../verify/inspect-export.ts";

const NAME = "d".repeat(200);
/** Twice what the kernel takes as one path. */
const LEVELS = 40;
const DEEP = `/${NAME}`.repeat(LEVELS);

/** Makes directories in each other, as programs come so far down: step by step. A file is in the last. */
const MAKE_DEEP = `
  chdir $ARGV[0] or die $!;
  for (1 .. ${LEVELS}) { mkdir "${NAME}" or die $!; chdir "${NAME}" or die $! }
  open my $file, ">", "local" or die $!;
  print $file "text";`;

/** Removed by a program that goes down in steps. */
async function deepDirectory(): Promise<AsyncDisposable & { readonly dir: string }> {
  const temporary = await temporaryDirectory();
  const remove = async (): Promise<void> => {
    execFileSync("rm", ["-rf", temporary.dir]);
    await temporary[Symbol.asyncDispose]();
  };
  return { dir: temporary.dir, [Symbol.asyncDispose]: remove };
}

test("[S2] what is deeper than the kernel takes a path is found, and verified", async () => {
  await using temporary = await deepDirectory();
  execFileSync("perl", ["-e", MAKE_DEEP, temporary.dir]);
  {
    await using exported = await openTestExport(temporary.dir);
    expect(exported.lookUp(`${DEEP}/local`)?.object).toMatchObject({ kind: "file", sizeBytes: 4 });
  }
  expect(await inspectExport(temporary)).toMatchObject({ differences: [], entries: LEVELS + 1 });
});

test("[S1] a client may change what is deeper than the kernel takes a path", async () => {
  await using temporary = await deepDirectory();
  {
    await using exported = await openTestExport(temporary.dir);
    const peer = new TestPeer(exported);
    const oids = Array.from({ length: LEVELS }, () => newId());
    await peer.push(
      ...oids.map((oid, level) =>
        level === 0 ? makeDirectory(NAME, oid) : makeDirectory(NAME, oid, oids[level - 1]),
      ),
    );
    await peer.push(createFile("pushed", newId(), oids.at(-1)));
    expect(exported.lookUp(`${DEEP}/pushed`)?.object).toMatchObject({ kind: "file" });
  }
  expect(await inspectExport(temporary)).toMatchObject({ differences: [], entries: LEVELS + 1 });
});

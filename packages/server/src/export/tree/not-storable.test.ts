import { constants } from "node:fs";
import { readdir } from "node:fs/promises";

import type { ClientOperation, OriginId, Recno } from "@izo/core";
import { describe, expect, it } from "vitest";

import { openTestExport, temporaryDirectory } from "../../testing/temporary-export.ts";
import { closeFile, createFile, makeDirectory, TestPeer } from "../../testing/test-peer.ts";
import { verifyExport } from "../verify-export.ts";

/** mknod(2) makes no directories, for root neither. */
function makeDevice(name: string): ClientOperation {
  const { opcode: _, ...made } = createFile(name) as Extract<ClientOperation, { opcode: "CREATE" }>;
  return { ...made, opcode: "MKNOD", mode: constants.S_IFDIR | 0o600, rdev: 0 };
}

describe("a record that the disk can never take", () => {
  it("is refused, and those around it are applied [P3] [K43]", async () => {
    await using temporary = await temporaryDirectory();
    // A look that finds "/f" in order takes the problem from it.
    await using exported = await openTestExport(temporary.dir, { gatherMs: 60_000 });
    const peer = new TestPeer(exported);
    const file = createFile("f");
    const base: OriginId = { peer: peer.peer, recno: 2 as Recno };
    await peer.stage("content");
    const results = await peer.push(
      makeDevice("one"),
      file,
      makeDevice("two"),
      closeFile(file.oid, "content", base),
      {
        opcode: "SETEXTATTR",
        oid: file.oid,
        path: "/f",
        // Not of the form that the kernel asks for (acl(5)): EINVAL, or ENOTSUP without access lists.
        attribute: "system.posix_acl_access",
        value: Buffer.from("no list"),
        base: 0 as Recno,
      },
      makeDirectory("d"),
    );
    expect(results.map(({ verdict, reason }) => reason ?? verdict)).toEqual([
      "not-storable",
      "applied",
      "not-storable",
      "applied",
      "not-storable",
      "applied",
    ]);
    expect((await readdir(temporary.dir)).toSorted()).toEqual([".intermezzo", "d", "f"]);
    const { problems } = exported.status();
    expect(problems.map(({ path }) => path)).toEqual(["/one", "/two", "/f"]);
    expect(await verifyExport(temporary.dir)).toEqual([]);
  });

  it("is answered from its trace when it is sent again [P1]", async () => {
    await using temporary = await temporaryDirectory();
    await using exported = await openTestExport(temporary.dir);
    const peer = new TestPeer(exported);
    const records = [peer.record(makeDevice("one"))];
    const first = await peer.send(records);
    const { recno } = exported.headPosition;
    expect(await peer.send(records)).toEqual(first);
    expect(exported.headPosition.recno).toBe(recno);
  });
});

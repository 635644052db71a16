import { constants as fileTypes } from "node:fs";
import { constants as os } from "node:os";

import { parseName } from "@izo/core";
import { beforeEach, describe, expect, test, vi } from "vitest";

import type { FileSystem } from "../../file-system.ts";
import type { Handler, HandlerContext } from "../handler.ts";
import { KnownNodes } from "../known-nodes.ts";
import { IN_HEADER_BYTES, OPCODE } from "../protocol.ts";
import { ReplyMessage } from "../reply-message.ts";
import { RequestMessage } from "../request-message.ts";
import { StagedAnswers } from "./staged-answers.ts";

const [THREAD, ANOTHER] = [100, 101];
const [PARENT, FILE, FORMER] = [7, 8, 9];
const TOKEN = "token";
const { EBUSY, ENOENT, EPROTO } = os.errno;
const name = parseName("a");

/** What has the name; undefined for nothing. */
let found: number | undefined;
let isInUse: boolean;
let known: KnownNodes;
let answers: StagedAnswers;
let handlers: Readonly<Record<number, Handler>>;
/** What else than look-ups has come to the file system's own handlers. */
const asked = vi.fn<(opcode: number) => number>(() => 0);
/** Where the kernel's entry of a directory has gone. */
const moved = vi.fn<(...move: readonly number[]) => undefined>(() => undefined);

beforeEach(() => {
  [found, isInUse] = [FILE, false];
  asked.mockClear();
  moved.mockClear();
  const fileSystem = {
    lookup: (_parent: number, at: string) => (at === "old" ? undefined : found),
    forget: () => {},
    getattr: (node: number) => {
      if (node === FORMER) throw new Error("it is gone");
      const times = { atimeNs: 0n, mtimeNs: 0n, ctimeNs: 0n };
      const sizes = { sizeBytes: 1, blocks: 1, blockSize: 4096, rdev: 0 };
      return { ino: 1n, mode: fileTypes.S_IFREG, nlink: 1, uid: 0, gid: 0, ...sizes, ...times };
    },
  } as unknown as FileSystem;
  known = new KnownNodes(fileSystem);
  const context = { fileSystem, known, files: { isInUse: () => isInUse }, directories: { moved } };
  answers = new StagedAnswers(TOKEN, context as unknown as HandlerContext);
  const own = Object.values(OPCODE).map((opcode) => [opcode, () => asked(opcode)] as const);
  handlers = answers.before(Object.fromEntries(own));
  answers.admit(THREAD);
});

/** The answer to a request about {@link PARENT}: the number of the node that it tells of, or the errno. */
function ask(opcode: number, body: Buffer | string, thread = THREAD, node = PARENT): unknown {
  const request = new RequestMessage(4096);
  const bytes = Buffer.from(typeof body === "string" ? `${body}\0` : body);
  request.bytes.writeBigUInt64LE(BigInt(node), 16);
  request.bytes.writeUInt32LE(thread, 32);
  bytes.copy(request.bytes, IN_HEADER_BYTES);
  request.received(IN_HEADER_BYTES + bytes.length);
  const reply = new ReplyMessage(4096);
  const answer = handlers[opcode]!(request, reply);
  return typeof answer === "number" && answer > 0
    ? Number(reply.bytes.readBigUInt64LE(16))
    : answer;
}

const mknod = (at: string): Buffer => Buffer.concat([Buffer.alloc(16), Buffer.from(`${at}\0`)]);
const rename = (parent: number, from: string, to: string): Buffer => {
  const head = Buffer.alloc(16);
  head.writeBigUInt64LE(BigInt(parent));
  return Buffer.concat([head, Buffer.from(`${from}\0${to}\0`)]);
};

describe("StagedAnswers", () => {
  test("answers its thread that nothing was there and that it was made, and changes nothing", () => {
    answers.stage({ kind: "made", parent: PARENT, name });
    expect(ask(OPCODE.LOOKUP, TOKEN)).toBe(-EPROTO);
    expect(ask(OPCODE.LOOKUP, "a")).toBe(-ENOENT);
    expect(ask(OPCODE.MKNOD, mknod("a"))).toBe(FILE);
    expect(asked).not.toHaveBeenCalled();
    // What it does with it then is done with what is there.
    expect(ask(OPCODE.LOOKUP, "a")).toBe(0);
    expect(asked.mock.calls).toEqual([[OPCODE.LOOKUP]]);
  });

  test("answers everybody else as the file system does", () => {
    answers.stage({ kind: "removed", parent: PARENT, name, isDirectory: false, node: undefined });
    ask(OPCODE.LOOKUP, TOKEN);
    for (const opcode of [OPCODE.LOOKUP, OPCODE.UNLINK, OPCODE.SETATTR, OPCODE.OPEN]) {
      expect(ask(opcode, "a", ANOTHER)).toBe(0);
      expect(asked).toHaveBeenLastCalledWith(opcode);
    }
    expect(ask(OPCODE.LOOKUP, TOKEN, ANOTHER)).toBe(0);
  });

  test("shows nothing that is not so before the thread knows who answers, nor to a thread that has ended", () => {
    answers.stage({ kind: "made", parent: PARENT, name });
    expect(ask(OPCODE.LOOKUP, "a")).toBe(0);
    answers.admit(0);
    expect(ask(OPCODE.LOOKUP, TOKEN, 0)).toBe(0);
  });

  test("lets the thread change nothing that it was not to do, wherever its way has led it", () => {
    const changes: readonly (readonly [number, Buffer | string])[] = [
      [OPCODE.MKNOD, mknod("a")],
      [OPCODE.MKDIR, Buffer.from("01234567a\0")],
      [OPCODE.SYMLINK, "a"],
      [OPCODE.UNLINK, "a"],
      [OPCODE.RMDIR, "a"],
      [OPCODE.RENAME2, rename(PARENT, "a", "b")],
    ];
    for (const staged of [undefined, { kind: "written", parent: PARENT, name } as const]) {
      answers.stage(staged);
      expect(changes.map(([opcode, body]) => ask(opcode, body))).toEqual(changes.map(() => -EBUSY));
    }
    answers.stage({ kind: "made", parent: PARENT, name });
    expect([ask(OPCODE.MKNOD, mknod("b")), ask(OPCODE.UNLINK, "a")]).toEqual([-EBUSY, -EBUSY]);
    expect(asked).not.toHaveBeenCalled();
  });

  test("removes no name that has been given again meanwhile", () => {
    answers.stage({ kind: "removed", parent: PARENT, name, isDirectory: false, node: undefined });
    expect(ask(OPCODE.UNLINK, "a")).toBe(-EBUSY);
    found = undefined;
    expect(ask(OPCODE.UNLINK, "a")).toBe(0);
    expect(asked).not.toHaveBeenCalled();
  });

  test("has what takes another's place come from nowhere, and tells who watches that one that it is gone", () => {
    known.told(FORMER);
    answers.stage({ kind: "replaced", parent: PARENT, name, before: FORMER });
    ask(OPCODE.LOOKUP, TOKEN);
    const nowhere = ask(OPCODE.LOOKUP, `${TOKEN}-from`) as number;
    expect(ask(OPCODE.LOOKUP, "a", THREAD, nowhere)).toBe(FILE);
    expect(ask(OPCODE.LOOKUP, "a")).toBe(FORMER);
    expect(ask(OPCODE.RENAME2, rename(PARENT, "a", "b"), THREAD, nowhere)).toBe(-EBUSY);
    expect(ask(OPCODE.RENAME2, rename(PARENT, "a", "a"))).toBe(-EBUSY);
    expect(ask(OPCODE.RENAME2, rename(PARENT, "a", "a"), THREAD, nowhere)).toBe(0);
    // As often as it was told, the kernel forgets.
    expect([known.forget(FORMER, 1), known.forget(FORMER, 1)]).toEqual([false, true]);
  });

  test("has a name lead once more to what it led to, and the kernel move that", () => {
    const from = { parent: PARENT, name: parseName("old") };
    answers.stage({ kind: "moved", parent: PARENT, name, from, before: undefined });
    ask(OPCODE.LOOKUP, TOKEN);
    expect([ask(OPCODE.LOOKUP, "old"), ask(OPCODE.LOOKUP, "a")]).toEqual([FILE, -ENOENT]);
    expect(ask(OPCODE.RENAME2, rename(PARENT, "old", "b"))).toBe(-EBUSY);
    expect(ask(OPCODE.RENAME2, rename(PARENT, "a", "a"))).toBe(-EBUSY);
    expect(moved).not.toHaveBeenCalled();
    expect(ask(OPCODE.RENAME2, rename(PARENT, "old", "a"))).toBe(0);
    expect(moved).toHaveBeenCalledWith(FILE, PARENT, PARENT, THREAD);
    expect(asked).not.toHaveBeenCalled();
  });

  test("opens nothing for writing that somebody has open, and takes its own handle back", () => {
    isInUse = true;
    expect(ask(OPCODE.OPEN, Buffer.alloc(8))).toBe(-EBUSY);
    isInUse = false;
    const handle = ask(OPCODE.OPEN, Buffer.alloc(8)) as number;
    const body = Buffer.alloc(24);
    body.writeBigUInt64LE(BigInt(handle));
    expect(ask(OPCODE.RELEASE, body, ANOTHER)).toBe(0);
    expect(asked).not.toHaveBeenCalled();
  });
});

import {
  type ChangeSet,
  MAX_PACK_RECNOS,
  type Oid,
  type PeerId,
  type Recno,
  type Sha256,
  type TreeObject,
  type Version,
} from "@izo/core";
import { beforeEach, expect, test, vi } from "vitest";

import { REPLICA } from "../../keep/keep-rules.ts";
import { oid } from "../../testing/test-cache.ts";
import type { CacheExecutor } from "../cache-executor.ts";
import { RemoteProtocolError } from "../remote-error.ts";
import type { Remote } from "../remote.ts";
import { Prefetcher } from "./prefetcher.ts";

const [A, B] = [oid("a"), oid("b")];
const OWN: Version = { peer: "11".repeat(16) as PeerId, recno: 3 as Recno };
const SENT = 9 as Recno;
const NOTHING: ChangeSet = { names: [], objects: [], moves: [] };

const visible = new Map<Oid, TreeObject>();
const fetched: Oid[] = [];
let prefetcher: Prefetcher;

beforeEach(() => {
  visible.clear();
  fetched.length = 0;
  prefetcher = new Prefetcher({
    // Contents are asked for one by one here: that is the cache's to do.
    remote: {} as Remote,
    cache: {
      hasContent: (id: Oid) => fetched.includes(id),
      fetch: (id: Oid) => {
        fetched.push(id);
        return Promise.resolve();
      },
    } as Partial<CacheExecutor> as CacheExecutor,
    keep: { rankOf: () => REPLICA, makeRoomFor: () => Promise.resolve(true) },
    visible: (id) => visible.get(id),
    directoryOf: () => undefined,
    onProblem: (error) => {
      throw error;
    },
  });
});

function file(id: Oid, contentVersion: Version): TreeObject {
  const sha256 = "01".repeat(32) as Sha256;
  const object = { oid: id, kind: "file", sha256, sizeBytes: 1, contentVersion } as TreeObject;
  visible.set(id, object);
  return object;
}

const run = (): Promise<void> => prefetcher.run(new AbortController().signal);

test("[C3] an own content in the inode of another object is fetched when the server has it, although nothing looks different then", async () => {
  const after = file(A, OWN);
  prefetcher.wantChanged({ ...NOTHING, objects: [{ oid: A, before: undefined, after }] });
  await run();
  expect(fetched).toEqual([]);
  file(A, SENT);
  prefetcher.wantChanged(NOTHING);
  await run();
  expect(fetched).toEqual([A]);
});

test("[C3] what an inode left behind that went to another object is fetched, although it looks as before", async () => {
  file(A, SENT);
  file(B, OWN);
  prefetcher.wantChanged({ ...NOTHING, moves: [{ from: A, to: B }] });
  await run();
  expect(fetched).toEqual([A]);
});

const hashOf = (index: number): Sha256 => `${index}1`.repeat(32) as Sha256;

test("a pack that is wrong is told of, and the contents behind that are asked for one by one", async () => {
  const problems: unknown[] = [];
  const single: Oid[] = [];
  const packed: Oid[] = [];
  const wrong = new RemoteProtocolError("http://test", "content has another hash");
  const remote: Partial<Remote> = {
    async *fetchPack() {
      yield { sha256: hashOf(0), bytes: Buffer.from("x") };
      throw wrong;
    },
  };
  const cache: Partial<CacheExecutor> = {
    hasContent: (id) => single.includes(id),
    fetch: (id) => Promise.resolve(void single.push(id)),
    putContents: (contents) =>
      Promise.resolve(void packed.push(...contents.map((each) => each.oid))),
  };
  const replica = new Prefetcher({
    remote: remote as Remote,
    cache: cache as CacheExecutor,
    keep: { rankOf: () => REPLICA, makeRoomFor: () => Promise.resolve(true) },
    visible: (id) => visible.get(id),
    directoryOf: () => undefined,
    onProblem: (error) => problems.push(error),
  });
  const all = ["1", "2", "3", "4", "5"].map(oid);
  for (const [index, id] of all.entries()) {
    replica.want({ ...file(id, (index + 1) as Recno), sha256: hashOf(index) }, REPLICA);
  }
  await replica.run(new AbortController().signal);
  expect(problems).toEqual([wrong]);
  expect(packed).toEqual(all.slice(0, 1));
  expect(single.toSorted()).toEqual(all.slice(1).toSorted());
  expect(replica.isIdle).toBe(true);
});

/** Small files, of the first part of the log and of the second. */
function wantTwoPacks(replica: Prefetcher): void {
  for (const [index, id] of ["1", "2", "3", "4", "5", "6", "7", "8"].map(oid).entries()) {
    const recno = index < 4 ? index + 1 : MAX_PACK_RECNOS + index;
    replica.want({ ...file(id, recno as Recno), sha256: hashOf(index) }, REPLICA);
  }
}

test.each([
  { description: "the next pack is asked for while one comes", roomBytes: 8, atOnce: 2 },
  { description: "one pack comes where there is no room for two", roomBytes: 4, atOnce: 1 },
])("$description", async ({ roomBytes, atOnce }) => {
  let asked = 0;
  const all = Promise.withResolvers<void>();
  const remote: Partial<Remote> = {
    async *fetchPack(after) {
      asked += 1;
      if (asked === atOnce) all.resolve();
      await all.promise;
      expect(asked).toBe(atOnce);
      const first = after === 0 ? 0 : 4;
      for (let index = first; index < first + 4; index += 1)
        yield { sha256: hashOf(index), bytes: Buffer.from("x") };
    },
  };
  let packed = 0;
  const replica = new Prefetcher({
    remote: remote as Remote,
    cache: {
      hasContent: () => false,
      putContents: (contents) => Promise.resolve(void (packed += contents.length)),
    } as Partial<CacheExecutor> as CacheExecutor,
    keep: {
      rankOf: () => REPLICA,
      makeRoomFor: (bytes) => Promise.resolve(packed === 0 && bytes <= roomBytes),
    },
    visible: (id) => visible.get(id),
    directoryOf: () => undefined,
    onProblem: (error) => {
      throw error;
    },
  });
  wantTwoPacks(replica);
  await replica.run(new AbortController().signal);
  expect(packed).toBe(4 * atOnce);
});

const PACKS = 6;

/** A replica that wants some packs, whose answers come when they are let go. */
function wantPacks(roomBytes: number) {
  const asked: number[] = [];
  const answers: (() => void)[] = [];
  const arrived: Oid[] = [];
  const remote: Partial<Remote> = {
    async *fetchPack(after) {
      const pack = Math.floor(after / MAX_PACK_RECNOS);
      asked.push(pack);
      await new Promise<void>((resolve) => (answers[pack] = resolve));
      for (let index = 0; index < 300; index += 1)
        yield { sha256: contentOf(pack, index), bytes: Buffer.from("x") };
    },
  };
  const cache: Partial<CacheExecutor> = {
    hasContent: (id) => arrived.includes(id),
    putContents: (contents) =>
      Promise.resolve(void arrived.push(...contents.map((each) => each.oid))),
  };
  const replica = new Prefetcher({
    remote: remote as Remote,
    cache: cache as CacheExecutor,
    keep: { rankOf: () => REPLICA, makeRoomFor: (bytes) => Promise.resolve(bytes <= roomBytes) },
    visible: (id) => visible.get(id),
    directoryOf: () => undefined,
    onProblem: (error) => {
      throw error;
    },
  });
  for (let pack = 0; pack < PACKS; pack += 1) {
    for (let index = 0; index < 300; index += 1) {
      const recno = (pack * MAX_PACK_RECNOS + index + 1) as Recno;
      const sha256 = contentOf(pack, index);
      replica.want({ ...file(oid(`${pack}0${index}`), recno), sha256 }, REPLICA);
    }
  }
  const ended = replica.run(new AbortController().signal);
  const answer = async (pack: number): Promise<void> => {
    await vi.waitFor(() => expect(answers[pack]).toBeDefined());
    answers[pack]!();
  };
  return { asked, arrived, answer, ended };
}

const contentOf = (pack: number, index: number): Sha256 =>
  `${pack}${String(index).padStart(3, "0")}`.repeat(16) as Sha256;

test("Prefetcher asks for the next pack as soon as one of those under way is here", async () => {
  const { asked, arrived, answer, ended } = wantPacks(Infinity);
  await vi.waitFor(() => expect(asked).toEqual([0, 1, 2, 3]));
  await answer(1);
  await vi.waitFor(() => expect(asked).toEqual([0, 1, 2, 3, 4]));
  await answer(2);
  await vi.waitFor(() => expect(asked).toEqual([0, 1, 2, 3, 4, 5]));
  for (const pack of [0, 3, 4, 5]) await answer(pack);
  await ended;
  expect(arrived).toHaveLength(PACKS * 300);
});

test("Prefetcher asks for one pack at a time where there is no room for two", async () => {
  const { asked, arrived, answer, ended } = wantPacks(300);
  for (let pack = 0; pack < PACKS; pack += 1) {
    await answer(pack);
    expect(asked).toHaveLength(pack + 1);
  }
  await ended;
  expect(arrived).toHaveLength(PACKS * 300);
});

test("Prefetcher hands the contents of a directory over together, where not too many come before its last", async () => {
  const perDirectory = 300;
  const directoryOf = (id: Oid): Oid => oid(`d${Math.floor(numbers.get(id)! / perDirectory)}`);
  const numbers = new Map<Oid, number>();
  const put: number[] = [];
  const replica = new Prefetcher({
    remote: {
      async *fetchPack() {
        for (let index = 0; index < 2000; index += 1)
          yield { sha256: contentOf(0, index), bytes: Buffer.from("x") };
      },
    } as Partial<Remote> as Remote,
    cache: {
      hasContent: () => false,
      putContents: (contents) => Promise.resolve(void put.push(contents.length)),
    } as Partial<CacheExecutor> as CacheExecutor,
    keep: { rankOf: () => REPLICA, makeRoomFor: () => Promise.resolve(true) },
    visible: (id) => visible.get(id),
    directoryOf: (id) => (numbers.get(id)! < 900 ? directoryOf(id) : oid("large")),
    onProblem: (error) => {
      throw error;
    },
  });
  for (let index = 0; index < 2000; index += 1) {
    const id = oid(`a${index}`);
    numbers.set(id, index);
    replica.want({ ...file(id, (index + 1) as Recno), sha256: contentOf(0, index) }, REPLICA);
  }
  await replica.run(new AbortController().signal);
  expect(put).toEqual([600, 1024, 376]);
});

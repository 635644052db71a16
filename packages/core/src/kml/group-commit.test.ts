import { describe, expect, it } from "vitest";

import { GroupCommit } from "./group-commit.ts";

/** Syncs that end, in order, when the test says so. */
class HeldSyncs {
  readonly #begun: PromiseWithResolvers<number>[] = [];

  readonly begin = (): Promise<number> => {
    const held = Promise.withResolvers<number>();
    this.#begun.push(held);
    return held.promise;
  };

  get count(): number {
    return this.#begun.length;
  }

  end(index: number): void {
    this.#begun[index]!.resolve(index);
  }

  fail(index: number, reason: Error): void {
    this.#begun[index]!.reject(reason);
  }
}

describe("GroupCommit", () => {
  it("gives those who come while a sync runs the one behind it, all the same one", async () => {
    const syncs = new HeldSyncs();
    const commits = new GroupCommit(syncs.begin);
    const first = commits.commit();
    await Promise.resolve();
    expect(syncs.count).toBe(1);

    const later = [commits.commit(), commits.commit()];
    await Promise.resolve();
    expect(syncs.count).toBe(1);

    syncs.end(0);
    expect(await first).toBe(0);
    await expect.poll(() => syncs.count).toBe(2);
    syncs.end(1);
    expect(await Promise.all(later)).toEqual([1, 1]);
    expect(commits.isRunning).toBe(false);
  });

  it("tells of a failure those who waited for that sync, and goes on for the others", async () => {
    const syncs = new HeldSyncs();
    const commits = new GroupCommit(syncs.begin);
    const first = commits.commit();
    await Promise.resolve();
    const second = commits.commit();

    syncs.fail(0, new Error("EIO"));
    await expect(first).rejects.toThrow("EIO");
    await expect.poll(() => syncs.count).toBe(2);
    syncs.end(1);
    expect(await second).toBe(1);
  });
});

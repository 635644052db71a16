import { deepEqual } from "node:assert/strict";
/**
 * A program writes while its client seals, sends and pulls, and others change the same files: a story is
 * a list of steps, and those behind a sealing happen in the middle of it, at each place where it waits.
 *
 * Cache, own log, sealing and sending are the real ones, on a real directory; the server is in memory.
 */
import { hash } from "node:crypto";
import { type BigIntStats, closeSync, fstatSync, lstatSync } from "node:fs";
import { join } from "node:path";

import { EMPTY_SHA256, parseName, type RenameOperation, ROOT_OID } from "@izo/core";

import type { NodeId } from "../fuse/file-system.ts";
import { RemovalHold } from "../sync/hold/removal-hold.ts";
import { ScopeHold, wholeScope } from "../sync/hold/scope-hold.ts";
import { Pusher } from "../sync/push/pusher.ts";
import { hashDescriptor } from "../sync/seal/hash-file.ts";
import { sealOpenCloses } from "../sync/seal/seal-open-closes.ts";
import { MemoryServer } from "./memory-server.ts";
import { CALLER, oid, readDescriptor, remoteOperations, TestCache } from "./test-cache.ts";

/** Files that are there when a story begins. */
export const STORY_NAMES = ["a", "b"] as const;
/** And one that files can come to have. */
export const OTHER_NAME = "c";
const NEVER = new AbortController().signal;

/** What cannot come in the middle of a sealing: the process ends with it, or seals once at a time. */
const NOT_MEANWHILE: ReadonlySet<Step["do"]> = new Set(["seal", "restart", "crash"]);

export type Step =
  | {
      readonly do:
        | "save"
        | "save over"
        | "save with backup"
        | "remove"
        | "change mode"
        | "other changes mode"
        | "other creates"
        | "other writes"
        | "other saves over"
        | "other saves with backup"
        | "other removes";
      readonly name: string;
    }
  | { readonly do: "move" | "other moves"; readonly name: string; readonly to: string }
  | {
      readonly do: "open";
      readonly name: string;
      readonly handle: number;
      readonly truncates: boolean;
    }
  | { readonly do: "write" | "flush" | "close"; readonly handle: number }
  | { readonly do: "seal" | "push" | "restart" | "crash" }
  | { readonly do: "pull"; readonly count: number };

/** A file as its program knows it: an inode of the cache, which a conflict moves and never changes. */
type Inode = string;

interface OpenFile {
  readonly fd: number;
  readonly node: NodeId;
}

export class Story implements AsyncDisposable {
  readonly #cache: TestCache;
  readonly #server: MemoryServer;
  readonly #steps: Step[];
  readonly #handles = new Map<number, OpenFile>();
  /** Still open, and removed by the program. */
  readonly #orphans: OpenFile[] = [];
  readonly #dirty = new Set<Inode>();
  /** What each inode held when it was last closed; gone once its program has changed or removed it. */
  readonly #closed = new Map<Inode, string>();
  #pusher!: Pusher;
  #count = 0;

  private constructor(cache: TestCache, steps: readonly Step[]) {
    this.#cache = cache;
    this.#server = new MemoryServer(cache.contents);
    this.#steps = steps.slice();
    this.#usePusher();
  }

  /** @throws AssertionError when the client shows anything else than the log says, or the log has not got it */
  static async tell(steps: readonly Step[], isReplica: boolean): Promise<void> {
    await using story = new Story(await TestCache.open({ isReplica }), steps);
    for (const each of STORY_NAMES) {
      story.#otherCreates(each);
      story.#otherWrites(each);
    }
    story.#pull(Number.POSITIVE_INFINITY);
    while (story.#steps.length > 0) await story.#next();
    await story.#finish();
    await story.#check();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cache[Symbol.asyncDispose]();
  }

  async #next(): Promise<void> {
    const next = this.#steps.shift();
    if (next === undefined) return;
    switch (next.do) {
      case "save":
        return this.#save(next.name);
      case "save over":
        await this.#save("temporary");
        this.#move("temporary", next.name);
        return;
      case "save with backup":
        this.#move(next.name, "backup");
        await this.#save(next.name);
        this.#remove("backup");
        return;
      case "move":
        return this.#move(next.name, next.to);
      case "remove":
        return this.#remove(next.name);
      case "change mode":
        return this.#changeMode(next.name);
      case "other changes mode":
        return this.#otherChangesMode(next.name);
      case "open":
        return this.#open(next.name, next.handle, next.truncates);
      case "write":
        return this.#onHandle(next.handle, ({ node, fd }) => this.#writeTo(node, fd, "written"));
      case "flush":
        return this.#onHandle(next.handle, ({ node, fd }) => this.#cache.fs.flush(node, fd));
      case "close":
        return this.#closeHandle(next.handle);
      case "seal":
        return this.#seal();
      case "push":
        await this.#pusher.push(NEVER, () => {});
        return;
      case "pull":
        return this.#pull(next.count);
      case "other creates":
        return this.#otherCreates(next.name);
      case "other writes":
        return this.#otherWrites(next.name);
      case "other saves over":
        return this.#otherSavesOver(next.name);
      case "other saves with backup":
        return this.#otherSavesWithBackup(next.name);
      case "other moves":
        return this.#otherMoves(next.name, next.to);
      case "other removes":
        return this.#otherRemoves(next.name);
      case "restart":
        this.#closeAll();
        return this.#restart();
      case "crash":
        for (const { fd } of [...this.#handles.values(), ...this.#orphans.splice(0)]) closeSync(fd);
        this.#handles.clear();
        return this.#restart();
    }
  }

  async #restart(): Promise<void> {
    await this.#cache.kill();
    await this.#cache.start();
    this.#usePusher();
  }

  /** The sealing of the client, with the steps that follow it wherever it waits. */
  async #seal(): Promise<void> {
    const { replica, local, problems } = this.#cache;
    const meanwhile = async (): Promise<void> => {
      const following = this.#steps[0]?.do;
      if (following === undefined || NOT_MEANWHILE.has(following)) return;
      await this.#next();
    };
    await sealOpenCloses(
      {
        replica,
        cache: local.content,
        show: (changes) => local.content.apply(changes),
        onWritten: () => {},
        onProblem: (error) => problems.push(error),
        settle: async (files) => {
          await meanwhile();
          const hashes = files.map(({ fd }) => hashDescriptor(fd));
          await meanwhile();
          return hashes;
        },
        quiet: { waitForBurst: () => Promise.resolve() },
        // There is none.
        huge: { has: () => false, add: () => {} },
      },
      NEVER,
    );
  }

  #usePusher(): void {
    const { replica, local, problems } = this.#cache;
    this.#pusher = new Pusher({
      replica,
      removals: new RemovalHold(replica, () => 0),
      scope: new ScopeHold(replica, wholeScope()),
      cache: local.content,
      show: (changes) => local.content.apply(changes),
      host: "test",
      remote: { push: (request) => this.#server.push(request), upload: refuseUpload },
      onUploaded: () => {},
      onUploadFailed: (error) => problems.push(error),
    });
  }

  #pull(count: number): void {
    const { replica, local } = this.#cache;
    const { recno } = replica.position;
    const records = this.#server.log.slice(recno, recno + count);
    const last = records.at(-1);
    if (last === undefined) return;
    const { changes } = replica.applyRemote(records, { recno: last.recno, hash: EMPTY_SHA256 });
    local.content.apply(changes);
  }

  async #save(path: string): Promise<void> {
    const [fd, node] = await this.#cache.openForWriting(`/${path}`);
    this.#writeTo(node, fd, "saved");
    this.#end(node, fd);
  }

  async #open(path: string, handle: number, truncates: boolean): Promise<void> {
    const node = this.#cache.find(`/${path}`);
    if (node === undefined || this.#handles.has(handle)) return;
    try {
      const { fd } = await this.#cache.fs.open(node, truncates ? 0o1001 : 2, CALLER);
      if (truncates) this.#closed.delete(inodeOf(fd));
      this.#handles.set(handle, { fd, node });
    } catch (error) {
      // Another content took the name while this one was fetched: the kernel would look it up again.
      if (!(error instanceof Error && "code" in error && error.code === "ESTALE")) throw error;
    }
  }

  #onHandle(handle: number, use: (open: OpenFile) => void): void {
    const open = this.#handles.get(handle);
    if (open !== undefined) use(open);
  }

  /** Contents of one length: only what they are tells them apart. */
  #writeTo(node: NodeId, fd: number, text: string): void {
    this.#count += 1;
    this.#closed.delete(inodeOf(fd));
    this.#dirty.add(inodeOf(fd));
    this.#cache.writeTo(node, fd, `${text} ${String(this.#count).padStart(6, "0")}`, 0);
  }

  #end(node: NodeId, fd: number): void {
    const inode = inodeOf(fd);
    if (this.#dirty.has(inode)) this.#closed.set(inode, readDescriptor(fd));
    this.#cache.close(node, fd);
  }

  #closeHandle(handle: number): void {
    const open = this.#handles.get(handle);
    if (open === undefined) return;
    this.#handles.delete(handle);
    this.#end(open.node, open.fd);
  }

  #move(from: string, to: string): void {
    if (from === to || this.#cache.find(`/${from}`) === undefined) return;
    this.#forget(to);
    this.#cache.rename(`/${from}`, `/${to}`);
  }

  #remove(path: string): void {
    this.#forget(path);
    if (this.#cache.find(`/${path}`) !== undefined) this.#cache.unlink(`/${path}`);
  }

  async #changeMode(path: string): Promise<void> {
    const node = this.#cache.find(`/${path}`);
    if (node !== undefined) await this.#cache.fs.setattr(node, { mode: this.#nextMode() }, CALLER);
  }

  #nextMode(): number {
    this.#count += 1;
    return 0o600 | (this.#count & 0o77);
  }

  /** The program takes a file away: nobody has to find what was in it, nor what is written to it still. */
  #forget(path: string): void {
    const at = join(this.#cache.cacheDir, "tree", path);
    const stat = lstatSync(at, { bigint: true, throwIfNoEntry: false });
    if (stat === undefined) return;
    this.#closed.delete(nameOf(stat));
    this.#dirty.delete(nameOf(stat));
    for (const [handle, { fd, node }] of this.#handles) {
      if (inodeOf(fd) !== nameOf(stat)) continue;
      this.#handles.delete(handle);
      this.#orphans.push({ fd, node });
    }
  }

  /** An empty file: what a client creates under the same name is the same result (K18). */
  #otherCreates(each: string): void {
    if (this.#server.state.entry(ROOT_OID, parseName(each)) !== undefined) return;
    this.#count += 1;
    this.#server.change(remoteOperations.create(oid(`c${this.#count}`), each));
  }

  #otherWrites(each: string): void {
    const entry = this.#server.state.entry(ROOT_OID, parseName(each));
    if (entry === undefined) return;
    this.#count += 1;
    const text = `other ${String(this.#count).padStart(6, "0")}`;
    const { content } = remoteOperations;
    this.#server.change(content(entry.oid, this.#cache.store(text), text.length));
  }

  #otherChangesMode(each: string): void {
    const { state } = this.#server;
    const entry = state.entry(ROOT_OID, parseName(each));
    const object = entry && state.object(entry.oid);
    if (object === undefined) return;
    const { oid: id, uid, gid, attributesVersion: base } = object;
    const attributes = { base, mode: this.#nextMode(), uid, gid };
    this.#server.change({ opcode: "SETATTR", oid: id, path: `/${each}`, attributes, times: null });
  }

  /** As another client's editor: a temporary file takes the name, and the object lives on. */
  #otherSavesOver(each: string): void {
    const victim = this.#server.state.entry(ROOT_OID, parseName(each));
    if (victim === undefined) return;
    const contentVersion = this.#server.state.object(victim.oid)!.contentVersion;
    this.#count += 1;
    const temporary = oid(`7e${this.#count}`);
    const text = `other ${String(this.#count).padStart(6, "0")}`;
    const { create, content, rename } = remoteOperations;
    this.#server.change(create(temporary, "other-temporary"));
    this.#server.change(content(temporary, this.#cache.store(text), text.length));
    this.#server.change({
      ...(rename(temporary, "other-temporary", each) as RenameOperation),
      victim: { oid: victim.oid, contentBase: contentVersion, isLastName: true },
      keepsOid: true,
    });
  }

  /** As vim there: the old file steps aside, and goes when a new one has its name. */
  #otherSavesWithBackup(each: string): void {
    const entry = this.#server.state.entry(ROOT_OID, parseName(each));
    if (entry === undefined) return;
    this.#count += 1;
    const made = oid(`7e${this.#count}`);
    const text = `other ${String(this.#count).padStart(6, "0")}`;
    const { create, content, rename, unlink } = remoteOperations;
    this.#server.change(rename(entry.oid, each, "other-backup"));
    this.#server.change(create(made, each));
    this.#server.change(content(made, this.#cache.store(text), text.length));
    this.#server.change(unlink(entry.oid, "other-backup"));
  }

  #otherMoves(from: string, to: string): void {
    const { state } = this.#server;
    const moved = state.entry(ROOT_OID, parseName(from));
    if (moved === undefined || state.entry(ROOT_OID, parseName(to)) !== undefined) return;
    this.#server.change(remoteOperations.rename(moved.oid, from, to));
  }

  #otherRemoves(each: string): void {
    const entry = this.#server.state.entry(ROOT_OID, parseName(each));
    if (entry !== undefined) this.#server.change(remoteOperations.unlink(entry.oid, each));
  }

  async #finish(): Promise<void> {
    this.#closeAll();
    for (let rounds = 20; rounds > 0 && this.#cache.replica.pendingCount > 0; rounds -= 1) {
      // oxlint-disable no-await-in-loop -- each round builds on the one before
      await this.#seal();
      while (await this.#pusher.push(NEVER, () => {}));
      // oxlint-enable no-await-in-loop
      this.#pull(Number.POSITIVE_INFINITY);
    }
    this.#pull(Number.POSITIVE_INFINITY);
    // A replica shows the content that it has until the newest is here.
    for (const { oid: id } of this.#server.state.children(ROOT_OID)) {
      // oxlint-disable-next-line no-await-in-loop -- a handful
      await this.#cache.local.content.fetch(id, NEVER);
    }
  }

  #closeAll(): void {
    for (const handle of this.#handles.keys()) this.#closeHandle(handle);
    for (const { fd, node } of this.#orphans.splice(0)) this.#cache.close(node, fd);
  }

  #shownAttributes(): [name: string, mode: number, mtimeNs: bigint][] {
    const { fs } = this.#cache;
    return this.#cache.list("/").map((each) => {
      const { mode, mtimeNs } = fs.getattr(this.#cache.node(`/${each}`));
      return [each, mode & 0o7777, mtimeNs];
    });
  }

  #loggedAttributes(): [name: string, mode: number, mtimeNs: bigint][] {
    const { state } = this.#server;
    return [...state.children(ROOT_OID)]
      .map(({ name, oid: id }): [string, number, bigint] => {
        const { mode, mtimeNs } = state.object(id)!;
        return [name, mode, mtimeNs];
      })
      .toSorted(([a], [b]) => (a < b ? -1 : 1));
  }

  /** The client shows what the log says, and the log has what was closed. */
  async #check(): Promise<void> {
    const { replica } = this.#cache;
    deepEqual(replica.pending.unsent, []);
    const shown = new Map<string, string>();
    for (const each of this.#cache.list("/")) {
      // oxlint-disable-next-line no-await-in-loop -- a handful
      shown.set(each, sha256Of(await this.#cache.read(`/${each}`)));
    }
    const logged = [...this.#server.state.children(ROOT_OID)].map(
      ({ name: at, oid: id }) => [at, this.#server.state.object(id)?.sha256] as const,
    );
    deepEqual(shown, new Map(logged));
    deepEqual(this.#shownAttributes(), this.#loggedAttributes());
    const contents = new Set<string | null>();
    for (const { operation } of this.#server.log)
      if (operation.opcode === "CLOSE") contents.add(operation.sha256);
    const lost = [...this.#closed.values()].filter((text) => !contents.has(sha256Of(text)));
    deepEqual(lost, []);
    await this.#cache.assertTidy();
  }
}

function refuseUpload(): never {
  throw new Error("a small content is not uploaded");
}

function sha256Of(text: string): string {
  return hash("sha256", text);
}

function inodeOf(fd: number): Inode {
  return nameOf(fstatSync(fd, { bigint: true }));
}

/** Numbers are used again at once: the time of making tells apart who had it. */
function nameOf({ ino, birthtimeNs }: BigIntStats): Inode {
  return `${ino} ${birthtimeNs}`;
}

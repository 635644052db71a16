/** One client without a kernel: real replica, cache, HTTP and InterSync; a test plays the driver. */
import { hash, randomUUID } from "node:crypto";
import { constants, fstatSync, mkdtempSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parseName, type Name, type Oid, type Position } from "@izo/core";
import { nodeDisk } from "@izo/sys";

import { DIRECT_FORM } from "../cache/inode/direct-form.ts";
import { rootNode, type Caller, type NodeId } from "../fuse/file-system.ts";
import { LocalFileSystem } from "../local-file-system.ts";
import { HttpRemote } from "../remote/http-remote.ts";
import type { MountScope } from "../sync/hold/scope-hold.ts";
import { InterSync } from "../sync/inter-sync.ts";
import { LocalReplica } from "../sync/replica/local-replica.ts";
import type { SyncMode } from "../sync/sync-status.ts";

/** What few tests are about. */
interface SyncHostOptions {
  /** How many changes may wait. */
  readonly mostPending?: number;
  /** So often a file that is written without pause is sent as it is. By default never, however slow a machine is. */
  readonly copyEveryMs?: number;
}

const NEVER_MS = 3_600_000;

const CALLER: Caller = { uid: 1000, gid: 1000, pid: process.pid };

/** A file that a program has open for writing. */
export interface HeldFile {
  write(content: string, offsetBytes?: number): void;
  close(): void;
}

export class SyncHost implements AsyncDisposable {
  readonly cacheDir: string;
  readonly errors: unknown[] = [];
  /** What it may change, as if its server had said so. */
  changesBelow: string | null = "/";
  replica!: LocalReplica;
  sync!: InterSync;
  #remote!: HttpRemote;
  #local!: LocalFileSystem;
  #isOpen = false;

  readonly #options: SyncHostOptions;

  private constructor(cacheDir: string, options: SyncHostOptions) {
    this.cacheDir = cacheDir;
    this.#options = options;
  }

  /** @param cacheDir one that another host has used, or a new one */
  static async open(
    url: string,
    mode: SyncMode = "on-demand",
    cacheDir = mkdtempSync(join(tmpdir(), "izo-host-")),
    options: SyncHostOptions = {},
  ): Promise<SyncHost> {
    const host = new SyncHost(cacheDir, options);
    await host.start(url, mode);
    return host;
  }

  async start(url: string, mode: SyncMode = "on-demand"): Promise<void> {
    this.#remote = new HttpRemote(url);
    const { id: fileset } = await this.#remote.profile();
    this.replica = await LocalReplica.open({
      cacheDir: this.cacheDir,
      disk: nodeDisk,
      fileset,
      nowNs,
      hash: (bytes) => hash("sha256", bytes, "buffer"),
      onSyncFailed: (error) => this.errors.push(error),
    });
    // The test says it, not the server.
    const below = (): string | null => this.changesBelow;
    const scope: MountScope = {
      get changesBelow() {
        return below();
      },
      learn: () => {},
    };
    this.#local = new LocalFileSystem({
      hostName: "test",
      mostPending: this.#options.mostPending ?? Infinity,
      cacheDir: this.cacheDir,
      form: DIRECT_FORM,
      log: this.replica,
      isReplica: mode === "replica",
      newOid: () => randomUUID().replaceAll("-", "") as Oid,
      nowNs,
      source: () => this.#remote,
      scope,
      waitFor: (recno, signal) => this.sync.waitFor(recno, signal),
      onWriterGone: () => this.sync.noteIdleFile(),
      onLongWritten: () => this.sync.noteIdleFile(),
      copyEveryMs: this.#options.copyEveryMs ?? NEVER_MS,
      onProblem: (_path, error) => this.errors.push(error),
    });
    this.#local.connect({ invalidateEntry: () => {}, invalidateNode: () => {} });
    this.sync = new InterSync({
      replica: this.replica,
      remote: this.#remote,
      cache: this.#local.content,
      fileset,
      mode,
      scope,
      nowMs: Date.now,
      random: Math.random,
      onError: (error) => this.errors.push(error),
    });
    this.#isOpen = true;
    await this.#within("receive a tree", (signal) => this.sync.waitForTree(signal));
  }

  /** Ends as a process that is killed does: nothing is said, flushed or waited for. */
  async stop(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.sync[Symbol.asyncDispose]();
    await this.replica[Symbol.asyncDispose]();
    await this.#remote[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    rmSync(this.cacheDir, { recursive: true, force: true });
  }

  /** What InterSync shows changes in. */
  get cache(): LocalFileSystem["content"] {
    return this.#local.content;
  }

  /** Records of the server's log behind a position, and the place behind them. */
  remoteLog(after: Position): ReturnType<HttpRemote["poll"]> {
    return this.#remote.poll(after);
  }

  /** Waits until the server has all that was done here. */
  async flush(): Promise<void> {
    await this.#within("flush", (signal) => this.sync.flush(signal));
  }

  /** Waits until all that another host has pulled is here, too. */
  async catchUpWith(other: SyncHost): Promise<void> {
    const { recno } = other.replica.position;
    await this.#within(`wait for record ${recno}`, (signal) => this.sync.waitFor(recno, signal));
  }

  async write(path: string, content: string | Uint8Array): Promise<void> {
    const found = this.#find(path);
    const created = found === undefined ? this.#create(path) : undefined;
    const node = found ?? created!.node;
    const { fd } = created ?? (await this.#fs.open(node, 0o1001, CALLER));
    this.#fs.willWrite(node, fd, false);
    writeSync(fd, typeof content === "string" ? Buffer.from(content) : content, 0);
    this.#fs.flush(node, fd);
    this.#fs.release(node, fd);
  }

  /** Opens a file as `>` of a shell does; what is returned writes and closes. */
  async overwrite(path: string): Promise<(content: string) => void> {
    const node = this.#node(path);
    const { fd } = await this.#fs.open(node, 0o1001, CALLER);
    return (content) => {
      this.#fs.willWrite(node, fd, false);
      writeSync(fd, content);
      this.#fs.flush(node, fd);
      this.#fs.release(node, fd);
    };
  }

  /** Opens a file for writing, made where it is missing, and keeps it open. */
  async hold(path: string): Promise<HeldFile> {
    const found = this.#find(path);
    const created = found === undefined ? this.#create(path) : undefined;
    const node = found ?? created!.node;
    const { fd } = created ?? (await this.#fs.open(node, constants.O_RDWR, CALLER));
    const fs = this.#fs;
    return {
      write(content, offsetBytes = 0) {
        fs.willWrite(node, fd, false);
        writeSync(fd, content, offsetBytes);
      },
      close() {
        fs.flush(node, fd);
        fs.release(node, fd);
      },
    };
  }

  /** Files that are named in the status because they are written without pause. */
  longWritten(): string[] {
    return this.#local.longWritten().map(({ path }) => path);
  }

  async read(path: string): Promise<string> {
    const node = this.#node(path);
    const { fd } = await this.#fs.open(node, 0, CALLER);
    const bytes = Buffer.alloc(fstatSync(fd).size);
    readSync(fd, bytes, 0, bytes.length, 0);
    this.#fs.release(node, fd);
    return bytes.toString();
  }

  mkdir(path: string): void {
    this.#fs.mkdir(...this.#place(path), 0o755, CALLER);
  }

  rename(from: string, to: string): void {
    this.#fs.rename(...this.#place(from), ...this.#place(to), 0, CALLER);
  }

  unlink(path: string): void {
    this.#fs.unlink(...this.#place(path), CALLER);
  }

  rmdir(path: string): void {
    this.#fs.rmdir(...this.#place(path), CALLER);
  }

  list(path = ""): string[] {
    const entries = this.#fs.readdir(this.#node(path));
    return entries.map(({ name }) => name).toSorted();
  }

  /** Says what went wrong meanwhile when something takes too long. */
  async #within(doing: string, wait: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const signal = AbortSignal.timeout(30_000);
    await wait(signal).catch((cause: unknown) => {
      const found = JSON.stringify({ status: this.sync.status(), errors: this.errors });
      throw new Error(`Cannot ${doing}: ${found}`, { cause });
    });
  }

  get #fs(): LocalFileSystem["fileSystem"] {
    return this.#local.fileSystem;
  }

  #create(path: string): { node: NodeId; fd: number } {
    return this.#fs.create(...this.#place(path), 0o644, 0o102, CALLER);
  }

  #find(path: string): NodeId | undefined {
    let node: NodeId | undefined = rootNode;
    for (const name of path.split("/").filter(Boolean)) {
      if (node === undefined) return undefined;
      node = this.#fs.lookup(node, parseName(name));
    }
    return node;
  }

  #node(path: string): NodeId {
    const node = this.#find(path);
    if (node === undefined) throw new Error(`Cannot find "${path}"`);
    return node;
  }

  #place(path: string): [parent: NodeId, name: Name] {
    const slash = path.lastIndexOf("/");
    return [this.#node(path.slice(0, slash)), parseName(path.slice(slash + 1))];
  }
}

function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

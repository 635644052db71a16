/**
 * A cache on a real directory without a mount, and the server it belongs to in memory: tests call the
 * seam as a driver would, and what a server would log they log here, with the same judge.
 */
import { deepEqual } from "node:assert/strict";
import { createHash, hash, randomUUID } from "node:crypto";
import {
  fstatSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readSync,
  rmSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  EMPTY_SHA256,
  type FilesetId,
  IgnoreRules,
  type Name,
  NO_CHECK,
  NO_RECNO,
  type Oid,
  parseName,
  type PeerId,
  type Position,
  type Recno,
  reintegrate,
  type ReplicatedOperation,
  logDecision,
  ROOT_OID,
  type ServerRecord,
  type Sha256,
} from "@izo/core";
import { lremovexattr, nodeDisk } from "@izo/sys";

import type { ContentSource } from "../cache/content/content-source.ts";
import { DIRECT_FORM, DIRECT_MARK } from "../cache/inode/direct-form.ts";
import type { InodeForm } from "../cache/inode/inode-form.ts";
import { MAPPED_MARK } from "../cache/inode/inode-meaning.ts";
import { MappedForm } from "../cache/inode/mapped-form.ts";
import type { KernelNotifier } from "../cache/notify/kernel-notifier.ts";
import { type Caller, type NodeId, rootNode } from "../fuse/file-system.ts";
import { LocalFileSystem } from "../local-file-system.ts";
import type { KnownScope } from "../scope/scope-gate.ts";
import { RemoteUnreachableError } from "../sync/remote-error.ts";
import { LocalReplica } from "../sync/replica/local-replica.ts";
import { BelievedNames } from "./believed-names.ts";
import { describeOperation } from "./describe-operation.ts";

const SERVER = "5e".repeat(16) as PeerId;
export const CALLER: Caller = { uid: 1000, gid: 1000, pid: process.pid };

const FILESET = "f5".repeat(16) as FilesetId;
const START_NS = 1_700_000_000_000_000_000n;
const ROOT_ACTOR = { uid: 0, gid: 0, groups: [], command: "test" };

export interface TestCacheOptions {
  readonly isReplica?: boolean;
  readonly form?: InodeForm["name"];
  readonly ignore?: readonly string[];
  readonly scope?: KnownScope;
}

export class TestCache implements AsyncDisposable {
  /** Of the caches to be opened, where they are not told. */
  static defaultForm: InodeForm["name"] = "direct";

  /** Inodes of such a cache have their objects' owners. */
  static get showsOwners(): boolean {
    return TestCache.defaultForm === "direct";
  }
  readonly cacheDir = mkdtempSync(join(tmpdir(), "izo-cache-"));
  readonly contents = new Map<Sha256, Buffer>();
  readonly problems: unknown[] = [];
  /** Paths of entries and numbers of nodes that the kernel was told to ask for again. */
  readonly notified: string[] = [];
  /** What who watches is told of, as `made a`, and `removed a for good` where its inode will not come back. */
  readonly watched: string[] = [];
  /** Descriptors that were kept open for the next who reads, and are not any more. */
  readonly closed: number[] = [];
  isOnline = true;
  /** Patterns of what stays here; they count from the next start on. */
  ignore: readonly string[];
  fetchCount = 0;
  /** Gives {@link contents}, unless a test says otherwise. */
  source: ContentSource = {
    fetchContent: (sha256) => {
      const bytes = this.contents.get(sha256);
      if (!this.isOnline || bytes === undefined) {
        return Promise.reject(new RemoteUnreachableError("http://test", "offline"));
      }
      this.fetchCount += 1;
      return Promise.resolve({ sizeBytes: bytes.length, bytes: once(bytes) });
    },
  };
  replica!: LocalReplica;
  local!: LocalFileSystem;
  #believed = new BelievedNames();
  #watched: LocalFileSystem["fileSystem"] | undefined;
  readonly form: InodeForm;
  readonly #options: TestCacheOptions;

  private constructor(options: TestCacheOptions) {
    this.#options = options;
    this.ignore = options.ignore ?? [];
    const { form = TestCache.defaultForm } = options;
    this.form =
      form === "direct" ? DIRECT_FORM : new MappedForm(join(this.cacheDir, "staging"), CALLER);
  }

  static async open(options: TestCacheOptions = {}): Promise<TestCache> {
    const cache = new TestCache(options);
    await cache.start();
    return cache;
  }

  /** Opens replica and file system on the directory, as the next process would. */
  async start(): Promise<void> {
    this.replica = await LocalReplica.open({
      cacheDir: this.cacheDir,
      disk: nodeDisk,
      fileset: FILESET,
      nowNs: () => BigInt(Date.now()) * 1_000_000n,
      hash: (bytes) => hash("sha256", bytes, "buffer"),
      onSyncFailed: (error) => this.problems.push(error),
    });
    this.local = new LocalFileSystem({
      cacheDir: this.cacheDir,
      form: this.form,
      hostName: "test",
      ignore: new IgnoreRules(this.ignore),
      log: this.replica,
      isReplica: this.#options.isReplica ?? false,
      ...(this.#options.scope !== undefined && { scope: this.#options.scope }),
      newOid: () => randomUUID().replaceAll("-", "") as Oid,
      nowNs: () => process.hrtime.bigint() + START_NS,
      source: () => this.source,
      waitFor: () => Promise.resolve(),
      onWriterGone: () => {},
      onLongWritten: () => {},
      onProblem: (_path, error) => this.problems.push(error),
    });
    this.local.connect(this.#notifier());
    // The mount of the process before is gone, and with it what its kernel knew.
    this.#believed = new BelievedNames();
    this.#watched = this.#believed.watch(this.local.fileSystem);
  }

  /** @throws when an entry could not be made, something is left in limbo, or the kernel was not told of a name */
  async assertTidy(): Promise<void> {
    await this.local.settle();
    deepEqual(this.problems, []);
    deepEqual(this.#believed.findWrong(this.local.fileSystem), []);
    deepEqual(readdirSync(join(this.cacheDir, "limbo")), []);
  }

  /** The extended attribute of the cache's own. */
  get markName(): string {
    return this.form.name === "direct" ? DIRECT_MARK : MAPPED_MARK;
  }

  /** What a copy without extended attributes does to an inode. */
  dropMark(path: string): void {
    lremovexattr(path, this.markName);
  }

  /** The process ends without a word: everything in memory is gone. */
  async kill(): Promise<void> {
    await this.replica[Symbol.asyncDispose]();
  }

  /** Ends well, and opens again. */
  async restart(): Promise<void> {
    this.local[Symbol.dispose]();
    await this.kill();
    await this.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.local[Symbol.dispose]();
    await this.replica[Symbol.asyncDispose]();
    rmSync(this.cacheDir, { recursive: true, force: true });
  }

  /** Records that the server logged itself arrive. */
  remote(...operations: ReplicatedOperation[]): void {
    const head = this.replica.position.recno;
    this.#arrive(
      operations.map((operation, index) => {
        const recno = (head + 1 + index) as Recno;
        const origin = { peer: SERVER, recno, check: NO_CHECK };
        const times = { authorTimeNs: START_NS, logTimeNs: START_NS };
        return { recno, ...times, origin, actor: ROOT_ACTOR, operation };
      }),
    );
  }

  /** Seals, sends, judges and acknowledges all that waits, as the server would, and pulls the result. */
  async push(): Promise<void> {
    this.seal();
    await this.replica.freeze(this.replica.pending.sendable(), (changes) =>
      this.local.content.apply(changes),
    );
    for (const { submitted } of this.replica.toSend.slice()) {
      const decision = reintegrate(submitted, this.replica.authoritative, {
        host: "test",
        contentToCome: () => undefined,
      });
      const end = {
        headRecno: this.replica.position.recno,
        headTimeNs: START_NS,
        nowNs: START_NS,
        server: SERVER,
      };
      this.#arrive(logDecision(decision, submitted, end));
    }
  }

  /** Gives every open CLOSE its hash, and keeps the content as a server would. */
  seal(): void {
    for (const { recno, operation } of this.replica.unsealed()) {
      if (operation.opcode !== "CLOSE" || !this.replica.isOpen(recno)) continue;
      const found = this.local.content.openWritten({ recno, operation });
      if (typeof found === "string") continue;
      using content = found;
      const { size, mtimeNs } = fstatSync(content.fd, { bigint: true });
      const bytes = Buffer.alloc(Number(size));
      readSync(content.fd, bytes, 0, bytes.length, 0);
      const sha256 = this.store(bytes);
      const sealed = { sizeBytes: bytes.length, mtimeNs, sha256 };
      for (const close of content.closes) {
        if (this.replica.isOpen(close)) this.local.content.apply(this.replica.seal(close, sealed));
      }
      content.showElsewhere();
    }
  }

  /** Puts a content where it can be fetched from. */
  store(content: string | Buffer): Sha256 {
    const bytes = Buffer.from(content);
    const sha256 = createHash("sha256").update(bytes).digest("hex") as Sha256;
    this.contents.set(sha256, bytes);
    return sha256;
  }

  #arrive(records: readonly ServerRecord[]): void {
    const last = records.at(-1);
    if (last === undefined) return;
    const position: Position = { recno: last.recno, hash: EMPTY_SHA256 };
    this.local.content.apply(this.replica.applyRemote(records, position).changes);
  }

  // What the kernel's side does.

  get fs(): LocalFileSystem["fileSystem"] {
    return this.#watched!;
  }

  /** The node at a path; undefined where there is none. The reference is not given back. */
  find(path: string): NodeId | undefined {
    let node: NodeId | undefined = rootNode;
    for (const name of path.split("/").filter(Boolean)) {
      if (node === undefined) return undefined;
      node = this.fs.lookup(node, parseName(name));
    }
    return node;
  }

  node(path: string): NodeId {
    const node = this.find(path);
    if (node === undefined) throw new Error(`Cannot find ${path}`);
    return node;
  }

  place(path: string): [parent: NodeId, name: Name] {
    const slash = path.lastIndexOf("/");
    return [this.node(path.slice(0, slash)), parseName(path.slice(slash + 1))];
  }

  list(path: string): string[] {
    return this.fs
      .readdir(this.node(path))
      .map(({ name }) => name)
      .toSorted();
  }

  /** Writes a whole file as a program does: open or create, write, close. */
  async write(path: string, content: string): Promise<void> {
    const [fd, node] = await this.openForWriting(path);
    this.writeTo(node, fd, content, 0);
    this.fs.flush(node, fd);
    this.fs.release(node, fd);
  }

  async openForWriting(path: string): Promise<[fd: number, node: NodeId]> {
    const found = this.find(path);
    if (found !== undefined) {
      const { fd } = await this.fs.open(found, 0o1001, CALLER);
      return [fd, found];
    }
    const { fd, node } = this.fs.create(...this.place(path), 0o644, 0o102, CALLER);
    return [fd, node];
  }

  writeTo(node: NodeId, fd: number, content: string, offset: number): void {
    this.fs.willWrite(node, fd, false);
    writeSync(fd, content, offset);
  }

  close(node: NodeId, fd: number): void {
    this.fs.flush(node, fd);
    this.fs.release(node, fd);
  }

  async read(path: string): Promise<string> {
    const node = this.node(path);
    const { fd } = await this.fs.open(node, 0, CALLER);
    const text = readDescriptor(fd);
    this.fs.release(node, fd);
    return text;
  }

  rename(from: string, to: string): void {
    this.fs.rename(...this.place(from), ...this.place(to), 0, CALLER);
  }

  unlink(path: string): void {
    this.fs.unlink(...this.place(path), CALLER);
  }

  mkdir(path: string): void {
    this.fs.mkdir(...this.place(path), 0o755, CALLER);
  }

  inode(path: string): bigint {
    return lstatSync(join(this.cacheDir, "tree", path), { bigint: true }).ino;
  }

  /** Opcodes and paths of what waits, as `CREATE /a`. */
  get pending(): string[] {
    return this.replica.pending.unsent.map(({ operation }) => describeOperation(operation));
  }

  #notifier(): KernelNotifier {
    return {
      invalidateEntry: (parent, name) => {
        this.notified.push(`entry ${parent} ${name}`);
        this.#believed.invalidateEntry(parent, name);
      },
      invalidateNode: (node) => void this.notified.push(`node ${node}`),
      tellWatchers: (change) => {
        const isGone = change.kind === "removed" && change.node !== undefined;
        this.watched.push(`${change.kind} ${change.name}${isGone ? " for good" : ""}`);
      },
      descriptorClosed: (_node, fd) => void this.closed.push(fd),
    };
  }
}

export function readDescriptor(fd: number): string {
  const bytes = Buffer.alloc(fstatSync(fd).size);
  readSync(fd, bytes, 0, bytes.length, 0);
  return bytes.toString();
}

/** Operations as a server logs them for a tree that is made by hand. */
export const remoteOperations = {
  create: (id: Oid, name: string, parent: Oid = ROOT_OID): ReplicatedOperation => ({
    opcode: "CREATE",
    ...made(id, name, parent, 0o640),
  }),
  mkdir: (id: Oid, name: string, parent: Oid = ROOT_OID): ReplicatedOperation => ({
    opcode: "MKDIR",
    ...made(id, name, parent, 0o755),
  }),
  content: (id: Oid, sha256: Sha256, sizeBytes: number): ReplicatedOperation => ({
    opcode: "CLOSE",
    oid: id,
    path: `/${id}`,
    contentBase: NO_RECNO,
    sizeBytes,
    mtimeNs: START_NS + 123_456_789n,
    sha256,
    conflict: null,
  }),
  rename: (
    id: Oid,
    from: string,
    to: string,
    fromParent = ROOT_OID,
    toParent = ROOT_OID,
  ): ReplicatedOperation => ({
    opcode: "RENAME",
    oid: id,
    contentBase: NO_RECNO,
    fromParent,
    fromName: parseName(from),
    fromPath: `/${from}`,
    fromBase: NO_RECNO,
    toParent,
    toName: parseName(to),
    toPath: `/${to}`,
    victim: null,
    keepsOid: false,
    conflict: null,
  }),
  unlink: (id: Oid, name: string, parent: Oid = ROOT_OID): ReplicatedOperation => ({
    opcode: "UNLINK",
    oid: id,
    parent,
    name: parseName(name),
    path: `/${name}`,
    nameBase: NO_RECNO,
    contentBase: NO_RECNO,
    isLastName: true,
  }),
  rmdir: (id: Oid, name: string, parent: Oid = ROOT_OID): ReplicatedOperation => ({
    opcode: "RMDIR",
    oid: id,
    parent,
    name: parseName(name),
    path: `/${name}`,
    nameBase: NO_RECNO,
  }),
};

/** A recognisable object id. */
export function oid(digits: string): Oid {
  return digits.padStart(32, "0") as Oid;
}

function made(id: Oid, name: string, parent: Oid, mode: number) {
  return {
    oid: id,
    parent,
    name: parseName(name),
    path: `/${name}`,
    mode,
    uid: 1000,
    gid: 1000,
    mtimeNs: START_NS,
    conflict: null,
  };
}

async function* once(bytes: Buffer): AsyncIterable<Uint8Array> {
  yield bytes;
}

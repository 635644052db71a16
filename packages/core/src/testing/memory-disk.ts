import type { Disk, DiskFile, DiskOpenMode } from "../kml/disk.ts";

/** A call on the disk, named so that a test can let this very one fail. */
export interface DiskCall {
  readonly label:
    | "makeDirectory"
    | "list"
    | "open"
    | "create"
    | "remove"
    | "syncDirectory"
    | "read"
    | "write"
    | "truncate"
    | "reserve"
    | "sync"
    | "syncBlocking";
  readonly path: string;
}

/** What a test throws from `onCall` to make a call fail as the system would. */
export class DiskFault extends Error {
  readonly code: string;
  /** Of a write: how many bytes are written all the same. */
  readonly writtenBytes: number;

  constructor(code: string, writtenBytes = 0) {
    super(`${code}: injected`);
    this.code = code;
    this.writtenBytes = writtenBytes;
  }
}

export interface MemoryDiskOptions {
  /** Called before each call; what it throws, the call throws. */
  readonly onCall?: (call: DiskCall) => void;
  /** Asynchronous syncs wait for this before they take effect. */
  readonly whileSyncing?: (call: DiskCall) => Promise<void>;
}

/** What a device writes or loses as one. */
const SECTOR_BYTES = 512;

interface StoredFile {
  current: Uint8Array;
  /** What the last sync has made durable. */
  durable: Uint8Array;
  /** Up to here there is room, also on a full disk. */
  reservedBytes: number;
  /**
   * Sectors that a failed sync has lost, as on Linux: they read as they were written, count as
   * clean, and no later sync writes them. Writing them again does away with it.
   */
  readonly lost: Set<number>;
}

type CallHook = (label: DiskCall["label"], path: string) => void;
type SyncHook = (label: "sync" | "syncDirectory", path: string) => Promise<void>;
type EntryChange = { readonly path: string; readonly file: StoredFile | null };

/**
 * A disk in memory that knows what would survive. {@link powerCut} gives the disk as it may be found
 * afterwards: everything that was synced, and of the rest any sectors in any combination, with zeros
 * in holes; of directory entries any number from the first, as a journal does. Directories
 * themselves are durable at once.
 */
export class MemoryDisk implements Disk {
  readonly #options: MemoryDiskOptions;
  readonly #files = new Map<string, StoredFile>();
  readonly #durableFiles = new Map<string, StoredFile>();
  #entryChanges: EntryChange[] = [];
  readonly #directories = new Set<string>();

  constructor(options: MemoryDiskOptions = {}) {
    this.#options = options;
  }

  makeDirectory(path: string): void {
    this.#call("makeDirectory", path);
    this.#directories.add(path);
  }

  list(path: string): string[] {
    this.#call("list", path);
    if (!this.#directories.has(path)) throw new DiskFault("ENOENT");
    const start = `${path}/`;
    return [...this.#files.keys()]
      .filter((file) => file.startsWith(start))
      .map((file) => file.slice(start.length));
  }

  open(path: string, mode: DiskOpenMode): DiskFile {
    this.#call(mode === "create" ? "create" : "open", path);
    if (mode === "create") return new MemoryFile(path, this.#create(path), this.#call, this.#wait);
    const file = this.#files.get(path);
    if (file === undefined) throw new DiskFault("ENOENT");
    return new MemoryFile(path, file, this.#call, this.#wait);
  }

  remove(path: string): void {
    this.#call("remove", path);
    if (!this.#files.delete(path)) throw new DiskFault("ENOENT");
    this.#entryChanges.push({ path, file: null });
  }

  async syncDirectory(path: string): Promise<void> {
    const covered = this.#entryChanges.filter((change) => change.path.startsWith(`${path}/`));
    await this.#wait("syncDirectory", path);
    for (const change of covered) applyChange(this.#durableFiles, change);
    this.#entryChanges = this.#entryChanges.filter((change) => !covered.includes(change));
  }

  /** All bytes of a file as a process sees them, to be looked at or replaced by a test. */
  contentOf(path: string): Uint8Array {
    const file = this.#files.get(path);
    if (file === undefined) throw new DiskFault("ENOENT");
    return file.current;
  }

  /** The bytes of a file that its last sync has made durable. */
  durableContentOf(path: string): Uint8Array {
    const file = this.#files.get(path);
    if (file === undefined) throw new DiskFault("ENOENT");
    return file.durable;
  }

  /** Replaces a file's content behind everybody's back, durably: damage. */
  setContent(path: string, bytes: Uint8Array): void {
    const file = this.#create(path);
    file.current = bytes.slice();
    file.durable = bytes.slice();
    this.#durableFiles.set(path, file);
  }

  /**
   * The disk that is found after a power cut now; `random` gives numbers from 0 up to 1, `options` are
   * those of the new disk.
   */
  powerCut(random: () => number, options: MemoryDiskOptions = {}): MemoryDisk {
    const entries = new Map(this.#durableFiles);
    const kept = Math.floor(random() * (this.#entryChanges.length + 1));
    for (const change of this.#entryChanges.slice(0, kept)) applyChange(entries, change);
    const found = new MemoryDisk(options);
    for (const directory of this.#directories) found.#directories.add(directory);
    for (const [path, file] of entries) found.setContent(path, survivingContent(file, random));
    return found;
  }

  #create(path: string): StoredFile {
    const existing = this.#files.get(path);
    if (existing !== undefined) {
      existing.current = new Uint8Array(0);
      return existing;
    }
    const file = {
      current: new Uint8Array(0),
      durable: new Uint8Array(0),
      reservedBytes: 0,
      lost: new Set<number>(),
    };
    this.#files.set(path, file);
    this.#entryChanges.push({ path, file });
    return file;
  }

  readonly #call: CallHook = (label, path) => {
    this.#options.onCall?.({ label, path });
  };

  readonly #wait: SyncHook = async (label, path) => {
    this.#call(label, path);
    await this.#options.whileSyncing?.({ label, path });
  };
}

class MemoryFile implements DiskFile {
  readonly #path: string;
  readonly #file: StoredFile;
  readonly #call: CallHook;
  readonly #wait: SyncHook;
  #isClosed = false;

  constructor(path: string, file: StoredFile, call: CallHook, wait: SyncHook) {
    this.#path = path;
    this.#file = file;
    this.#call = call;
    this.#wait = wait;
  }

  sizeBytes(): number {
    return this.#open().current.length;
  }

  read(offset: number, length: number): Uint8Array {
    this.#call("read", this.#path);
    return this.#open().current.slice(offset, offset + length);
  }

  write(offset: number, bytes: Uint8Array): void {
    const file = this.#open();
    try {
      this.#call("write", this.#path);
    } catch (error) {
      const hasRoom = offset + bytes.length <= file.reservedBytes;
      const isWritten = error instanceof DiskFault && error.code === "ENOSPC" && hasRoom;
      if (!isWritten) {
        if (error instanceof DiskFault) put(file, offset, bytes.subarray(0, error.writtenBytes));
        throw error;
      }
    }
    put(file, offset, bytes);
  }

  truncate(sizeBytes: number): void {
    this.#call("truncate", this.#path);
    const file = this.#open();
    const resized = new Uint8Array(sizeBytes);
    resized.set(file.current.subarray(0, sizeBytes));
    file.current = resized;
    file.reservedBytes = 0;
  }

  reserve(offset: number, length: number): void {
    this.#call("reserve", this.#path);
    const file = this.#open();
    file.reservedBytes = Math.max(file.reservedBytes, offset + length);
  }

  /** Covers what was written before the call, and nothing that comes while it runs. */
  async sync(): Promise<void> {
    const covered = this.#open().current.slice();
    try {
      await this.#wait("sync", this.#path);
    } catch (error) {
      loseSectors(this.#file);
      throw error;
    }
    commit(this.#open(), covered);
  }

  syncBlocking(): void {
    const file = this.#open();
    try {
      this.#call("syncBlocking", this.#path);
    } catch (error) {
      loseSectors(file);
      throw error;
    }
    commit(file, file.current.slice());
  }

  close(): void {
    this.#open();
    this.#isClosed = true;
  }

  /** A descriptor that is used after it was closed may be another file's by then. */
  #open(): StoredFile {
    if (this.#isClosed) throw new DiskFault("EBADF");
    return this.#file;
  }
}

function put(file: StoredFile, offset: number, bytes: Uint8Array): void {
  const needed = offset + bytes.length;
  if (needed > file.current.length) {
    const larger = new Uint8Array(needed);
    larger.set(file.current);
    file.current = larger;
  }
  file.current.set(bytes, offset);
  const last = Math.floor((needed - 1) / SECTOR_BYTES);
  for (let sector = Math.floor(offset / SECTOR_BYTES); sector <= last; sector += 1) {
    file.lost.delete(sector);
  }
}

/** Makes `covered` durable, but for what an earlier failure has lost. */
function commit(file: StoredFile, covered: Uint8Array): void {
  for (const sector of file.lost) {
    const [start, end] = sectorOf(sector, covered.length);
    covered.fill(0, start, end);
    covered.set(file.durable.subarray(start, end), start);
  }
  file.durable = covered;
}

function loseSectors(file: StoredFile): void {
  const { current, durable, lost } = file;
  for (let sector = 0; sector * SECTOR_BYTES < current.length; sector += 1) {
    const [start, end] = sectorOf(sector, current.length);
    const isDirty =
      end > durable.length ||
      current.subarray(start, end).some((byte, index) => byte !== durable[start + index]);
    if (isDirty) lost.add(sector);
  }
}

function sectorOf(sector: number, sizeBytes: number): [number, number] {
  const start = Math.min(sector * SECTOR_BYTES, sizeBytes);
  return [start, Math.min(start + SECTOR_BYTES, sizeBytes)];
}

function applyChange(entries: Map<string, StoredFile>, change: EntryChange): void {
  if (change.file === null) entries.delete(change.path);
  else entries.set(change.path, change.file);
}

/** A size from the durable to the current one, and in it each sector as it was or as it is. */
function survivingContent({ current, durable }: StoredFile, random: () => number): Uint8Array {
  const grown = current.length - durable.length;
  const [none, all] = [random() < 0.25, random() < 0.5];
  const share = none ? 0 : all ? 1 : random();
  const found = new Uint8Array(durable.length + Math.round(share * grown));
  for (let at = 0; at < found.length; at += SECTOR_BYTES) {
    const source = random() < 0.5 ? durable : current;
    found.set(source.subarray(at, Math.min(at + SECTOR_BYTES, found.length)), at);
  }
  return found;
}

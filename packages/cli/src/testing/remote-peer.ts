import { createHash, randomUUID } from "node:crypto";

import { HttpRemote } from "@izo/client";
import {
  type ClientOperation,
  computeOriginCheck,
  EMPTY_SHA256,
  type Name,
  NO_CHECK,
  NO_RECNO,
  type Oid,
  type PeerId,
  type Recno,
  ROOT_OID,
  type Sha256,
} from "@izo/core";
import type { RunningServer } from "@izo/server";

const ACTOR = { uid: 1000, gid: 1000, groups: [1000], command: "vim" };

/** A client of a server in this process: what it does is in the log and in the tree when it resolves. */
export class RemotePeer implements AsyncDisposable {
  readonly peer = randomUUID().replaceAll("-", "") as PeerId;
  readonly #server: RunningServer;
  readonly #remote: HttpRemote;
  #received = { recno: NO_RECNO, check: NO_CHECK };

  constructor(server: RunningServer) {
    this.#server = server;
    this.#remote = new HttpRemote(server.url);
  }

  async write(path: string, text: string): Promise<void> {
    const oid = this.#find(path)?.oid ?? (await this.#make("CREATE", path, 0o644));
    const bytes = Buffer.from(text);
    const sha256 = createHash("sha256").update(bytes).digest("hex") as Sha256;
    const { contentVersion: contentBase } = this.#find(path)!;
    const operation: ClientOperation = {
      opcode: "CLOSE",
      oid,
      path,
      contentBase,
      sizeBytes: bytes.length,
      mtimeNs: 1_700_000_000_000_000_000n,
      sha256,
      conflict: null,
    };
    const contents = sha256 === EMPTY_SHA256 ? [] : [{ sha256, bytes }];
    await this.#push(operation, contents);
  }

  async mkdir(path: string): Promise<void> {
    await this.#make("MKDIR", path, 0o755);
  }

  async remove(path: string): Promise<void> {
    const { parent, name, entry } = this.#place(path);
    const { oid, version: nameBase } = entry!;
    const object = this.#find(path)!;
    const removed = { oid, parent, name, path, nameBase };
    await this.#push(
      object.kind === "directory"
        ? { opcode: "RMDIR", ...removed }
        : { opcode: "UNLINK", ...removed, contentBase: object.contentVersion, isLastName: true },
    );
  }

  async rename(from: string, to: string): Promise<void> {
    const { parent: fromParent, name: fromName, entry } = this.#place(from);
    const { parent: toParent, name: toName } = this.#place(to);
    await this.#push({
      opcode: "RENAME",
      oid: entry!.oid,
      contentBase: this.#find(from)!.contentVersion,
      fromParent,
      fromName,
      fromPath: from,
      fromBase: entry!.version,
      toParent,
      toName,
      toPath: to,
      victim: null,
      keepsOid: false,
      conflict: null,
    });
  }

  async chmod(path: string, mode: number): Promise<void> {
    const { oid, uid, gid, attributesVersion: base } = this.#find(path)!;
    const attributes = { base, mode, uid, gid };
    await this.#push({ opcode: "SETATTR", oid, path, attributes, times: null });
  }

  async setAttribute(path: string, attribute: string, text: string): Promise<void> {
    const { oid } = this.#find(path)!;
    const value = Buffer.from(text);
    await this.#push({ opcode: "SETEXTATTR", oid, path, attribute, value, base: NO_RECNO });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#remote[Symbol.asyncDispose]();
  }

  async #make(opcode: "CREATE" | "MKDIR", path: string, mode: number): Promise<Oid> {
    const { parent, name } = this.#place(path);
    const oid = randomUUID().replaceAll("-", "") as Oid;
    const [uid, gid] = [process.getuid!(), process.getgid!()];
    const made = { oid, parent, name, path, mode, uid, gid };
    await this.#push({ opcode, ...made, mtimeNs: 1_700_000_000_000_000_000n, conflict: null });
    return oid;
  }

  async #push(
    operation: ClientOperation,
    contents: readonly { readonly sha256: Sha256; readonly bytes: Uint8Array }[] = [],
  ): Promise<void> {
    const recno = (this.#received.recno + 1) as Recno;
    const sent = { authorTimeNs: BigInt(Date.now()) * 1_000_000n, actor: ACTOR, operation };
    const origin = { peer: this.peer, recno };
    const record = {
      ...sent,
      origin: { ...origin, check: computeOriginCheck({ ...sent, origin }) },
    };
    const { results } = await this.#remote.push({
      peer: this.peer,
      host: "laptop",
      received: this.#received,
      records: [record],
      contents,
      isRemovalConfirmed: true,
    });
    const [result] = results;
    if (result?.verdict !== "applied") {
      throw new Error(`Cannot do ${operation.opcode}: ${result?.reason ?? result?.verdict}`);
    }
    this.#received = record.origin;
  }

  #find(path: string) {
    return this.#server.fileset.lookUp(path)?.object;
  }

  #place(path: string) {
    const slash = path.lastIndexOf("/");
    const directory = this.#server.fileset.lookUp(path.slice(0, slash) || "/");
    const name = path.slice(slash + 1) as Name;
    const entry = directory?.children.find((child) => child.entry.name === name)?.entry;
    return { parent: directory?.object.oid ?? ROOT_OID, name, entry };
  }
}

import { decodeRecord } from "../../kml/decode-record.ts";
import type { Disk } from "../../kml/disk.ts";
import { encodeRecord } from "../../kml/encode-record.ts";
import { bytesToHex } from "../../kml/hex.ts";
import type { ServerRecord } from "../../kml/record.ts";
import { quickHash } from "./quick-hash.ts";

const PATH = "lml/intents";
const HASH_BYTES = 32;

/**
 * The server's LML (design S1): the records of the batch in progress, durable before the tree is changed.
 * A file that does not match its own hash was being written when the machine stopped: nothing of its
 * batch was done.
 */
export class IntentsFile {
  readonly #disk: Disk;

  constructor(disk: Disk) {
    this.#disk = disk;
    disk.makeDirectory("lml");
  }

  async write(records: readonly ServerRecord[], isSynced: boolean): Promise<void> {
    const encoded = records.map((record) => encodeRecord(record));
    const size = encoded.reduce((sum, { length }) => sum + 4 + length, 0);
    const bytes = new Uint8Array(HASH_BYTES + size);
    let at = HASH_BYTES;
    for (const record of encoded) {
      new DataView(bytes.buffer).setUint32(at, record.length);
      bytes.set(record, at + 4);
      at += 4 + record.length;
    }
    bytes.set(quickHash(bytes.subarray(HASH_BYTES)));
    const file = this.#disk.open(PATH, "create");
    file.write(0, bytes);
    if (isSynced) {
      await file.sync();
      await this.#disk.syncDirectory("lml");
    }
    file.close();
  }

  read(): ServerRecord[] {
    if (!this.#disk.list("lml").includes("intents")) return [];
    const file = this.#disk.open(PATH, "read");
    const bytes = file.read(0, file.sizeBytes());
    file.close();
    const body = bytes.subarray(HASH_BYTES);
    const isWhole = bytesToHex(bytes.subarray(0, HASH_BYTES)) === bytesToHex(quickHash(body));
    if (bytes.length < HASH_BYTES || !isWhole) return [];
    const records: ServerRecord[] = [];
    const view = new DataView(body.buffer, body.byteOffset);
    for (let at = 0; at < body.length;) {
      const length = view.getUint32(at);
      records.push(decodeRecord(body.subarray(at + 4, at + 4 + length)) as ServerRecord);
      at += 4 + length;
    }
    return records;
  }

  clear(): void {
    this.#disk.open(PATH, "create").close();
  }
}

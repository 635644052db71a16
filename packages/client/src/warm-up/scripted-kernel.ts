import { constants } from "node:os";

import type { KernelDevice } from "../fuse/kernel/kernel-device.ts";
import { IN_HEADER_BYTES, OPCODE, OUT_HEADER_BYTES } from "../fuse/kernel/protocol.ts";
import type { KernelRequest } from "./kernel-requests.ts";

/** Asks, one request after the other; each is answered with the body of its reply. */
export type Script = Generator<KernelRequest, void, Buffer>;

const NOTHING = Buffer.alloc(0);

/** Of this process and root, which the scratch cache belongs to. */
const CALLER = [0, 0, process.pid] as const;

/**
 * In the place of /dev/fuse: asks what a script says, when it is told to, as the kernel would. What it is told
 * unasked goes to `fd`.
 */
export class ScriptedKernel implements KernelDevice {
  readonly isByHelper = false;
  readonly fd: number;
  readonly #script: Script;
  #next: KernelRequest | undefined;
  #asked: KernelRequest | undefined;
  #onReadable: () => void = () => {};
  #unique = 0;
  #leftInTurn = 0;

  constructor(script: Script, fd: number) {
    this.#script = script;
    this.fd = fd;
    this.#advance(NOTHING);
  }

  /** All is asked and answered. */
  get isDone(): boolean {
    return this.#next === undefined && this.#asked === undefined;
  }

  /** Asks so many requests at most. @throws Error for an answer that a working mount does not give */
  turn(requests: number): void {
    this.#leftInTurn = requests;
    this.#onReadable();
  }

  start(onReadable: () => void): void {
    this.#onReadable = onReadable;
  }

  stop(): void {
    this.#onReadable = () => {};
  }

  receive(buffer: Uint8Array): number {
    const next = this.#next;
    if (next === undefined || this.#leftInTurn === 0) return 0;
    this.#leftInTurn -= 1;
    this.#unique += 1;
    const { opcode, node, body } = next;
    const lengthBytes = IN_HEADER_BYTES + body.length;
    const header = new Uint32Array(buffer.buffer, buffer.byteOffset, IN_HEADER_BYTES / 4);
    header.set([lengthBytes, opcode, this.#unique, 0, node, 0, ...CALLER, 0]);
    buffer.set(body, IN_HEADER_BYTES);
    this.#next = undefined;
    // Nothing is answered to that.
    if (opcode === OPCODE.FORGET) this.#advance(NOTHING);
    else this.#asked = next;
    return lengthBytes;
  }

  send(buffer: Uint8Array, lengthBytes: number): void {
    const asked = this.#asked;
    this.#asked = undefined;
    const error = new Int32Array(buffer.buffer, buffer.byteOffset, 2)[1]!;
    if (error !== 0 && error !== -constants.errno.ENODATA) {
      throw new Error(`Cannot warm up: request ${asked?.opcode} was answered with ${error}`);
    }
    this.#advance(Buffer.from(buffer.subarray(OUT_HEADER_BYTES, lengthBytes)));
  }

  /** Nobody takes data from a file that the script has open but the script itself. */
  openBacking(): number {
    return 1;
  }

  closeBacking(): void {}

  detach(): Promise<void> {
    return Promise.resolve();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #advance(reply: Buffer): void {
    const { value, done } = this.#script.next(reply);
    this.#next = done === true ? undefined : value;
  }
}

import { once } from "node:events";
import { createServer, type AddressInfo, Socket } from "node:net";

import { expect, test } from "vitest";

import { receive } from "./receive.ts";
import { errorOf } from "./testing/error-of.ts";

const AT_ONCE = { waitMs: 0, pauseMs: 0 };
const PATIENT = { waitMs: 5_000, pauseMs: 5_000 };

/** A connection that Node does not read from, by its descriptor, and the other end of it. */
async function connection(): Promise<Disposable & { fd: number; other: Socket }> {
  const server = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const other = new Socket().connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [[accepted]] = (await Promise.all([
    once(server, "connection"),
    once(other, "connect"),
  ])) as [[Socket & { _handle: { fd: number } }], unknown];
  return {
    // oxlint-disable-next-line no-underscore-dangle -- Node has no other name for it
    fd: accepted._handle.fd,
    other,
    [Symbol.dispose]() {
      other.destroy();
      accepted.destroy();
      server.close();
    },
  };
}

test("receive() fills the buffer, and leaves what does not fit for the next call", async () => {
  using held = await connection();
  held.other.write("0123456789");
  const buffer = Buffer.alloc(4);
  const came: string[] = [];
  for (let call = 0; call < 3; call += 1) {
    const count = receive(held.fd, buffer, call < 2 ? PATIENT : { waitMs: 5_000, pauseMs: 1 });
    came.push(buffer.toString("latin1", 0, count));
  }
  expect(came).toEqual(["0123", "4567", "89"]);
});

test("receive() tells nothing from the end", async () => {
  using held = await connection();
  const buffer = Buffer.alloc(4);
  expect(receive(held.fd, buffer, AT_ONCE)).toBeUndefined();
  held.other.end("1");
  await once(held.other, "finish");
  expect(receive(held.fd, buffer, PATIENT)).toBe(1);
  expect(receive(held.fd, buffer, PATIENT)).toBe(0);
});

test("receive() throws when the connection was reset", async () => {
  using held = await connection();
  held.other.resetAndDestroy();
  expect(errorOf(() => receive(held.fd, Buffer.alloc(4), PATIENT)).code).toBe("ECONNRESET");
});

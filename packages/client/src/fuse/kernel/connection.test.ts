import { constants } from "node:os";

import type { FuseDevice } from "@izo/sys";
import { expect, onTestFinished, test, vi } from "vitest";

import { Connection } from "./connection.ts";
import type { Handlers } from "./handler.ts";
import { IN_HEADER_BYTES, OPCODE } from "./protocol.ts";

const REFUSED = Object.assign(new Error("write"), { code: "EINVAL" });

/** A device that has these requests, by opcode and number, and notes answers as number and error. */
function serve(
  handlers: Handlers,
  requests: readonly (readonly [number, number])[],
  onSent = (_answers: readonly unknown[]): void => {},
): unknown[] {
  const waiting = [...requests];
  const answers: unknown[] = [];
  let onReadable: (() => void) | undefined;
  const device = {
    start: (listener: () => void) => void (onReadable = listener),
    receive(buffer: Uint8Array): number {
      const next = waiting.shift();
      if (next === undefined) return 0;
      const header = new Uint32Array(buffer.buffer, 0, IN_HEADER_BYTES / 4).fill(0);
      header.set([IN_HEADER_BYTES, next[0], next[1]]);
      return IN_HEADER_BYTES;
    },
    send(buffer: Uint8Array): void {
      const header = new Int32Array(buffer.buffer, 0, 4);
      if (header[1]! <= -512) throw REFUSED;
      answers.push(header[1] === 0 ? header[2] : [header[2], header[1]]);
    },
  };
  const options = {
    spinMicroseconds: 0,
    turnMs: 1000,
    onAnswered: () => 0,
    onSent: () => onSent(answers),
    onEnd: fail,
    onError: (error: unknown) => {
      if (error !== REFUSED) fail(error);
    },
  };
  const connection = new Connection(device as unknown as FuseDevice, handlers, options);
  connection.start();
  onReadable?.();
  expect(connection.requests["OPEN"] ?? 0).toBe(
    requests.filter(([opcode]) => opcode === OPCODE.OPEN).length,
  );
  return answers;
}

function fail(error?: unknown): void {
  expect.unreachable(String(error));
}

test("Connection does what nobody waits for when nobody asks, and before the turn ends", () => {
  const handlers = { [OPCODE.RELEASE]: () => () => 0, [OPCODE.OPEN]: () => 0 };
  const requests = [
    [OPCODE.RELEASE, 1],
    [OPCODE.OPEN, 2],
    [OPCODE.RELEASE, 3],
    [OPCODE.OPEN, 4],
  ] as const;
  expect(serve(handlers, requests)).toEqual([2, 4, 1, 3]);
});

test("Connection does not let wait for long what nobody waits for", () => {
  const handlers = { [OPCODE.RELEASE]: () => () => 0 };
  const requests = Array.from({ length: 100 }, (_, index) => [OPCODE.RELEASE, index + 1] as const);
  const answers = serve(handlers, [...requests]);
  expect(answers).toEqual(requests.map(([, unique]) => unique));
});

test("Connection answers an errno without an error", () => {
  const { ENODATA } = constants.errno;
  const handlers = { [OPCODE.GETXATTR]: () => -ENODATA };
  expect(serve(handlers, [[OPCODE.GETXATTR, 5]])).toEqual([[5, -ENODATA]]);
});

test.each(["ESTALE", "ENOENT", "ENOSPC"] as const)(
  "Connection answers an error by its code: %s",
  (code) => {
    const handlers = {
      [OPCODE.OPEN]: () => {
        throw Object.assign(new Error(code), { code });
      },
    };
    expect(serve(handlers, [[OPCODE.OPEN, 9]])).toEqual([[9, -constants.errno[code]]]);
  },
);

test("Connection says that it has answered when it has, and goes on whatever that throws", () => {
  const handlers = { [OPCODE.MKDIR]: () => 0 };
  const requests = [
    [OPCODE.MKDIR, 7],
    [OPCODE.MKDIR, 8],
  ] as const;
  const seen: unknown[] = [];
  const answers = serve(handlers, requests, (sent) => {
    seen.push([...sent]);
    throw REFUSED;
  });
  expect(seen).toEqual([[7], [7, 8]]);
  expect(answers).toEqual([7, 8]);
});

test("Connection answers EIO where the kernel does not take its answer", () => {
  const handlers = { [OPCODE.MKDIR]: () => -4094 };
  expect(serve(handlers, [[OPCODE.MKDIR, 6]])).toEqual([[6, -constants.errno.EIO]]);
});

test("Connection receives nothing for as long as it is told to, and goes on then", () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  let onReadable: (() => void) | undefined;
  const device = {
    start: (listener: () => void) => void (onReadable = listener),
    stop: () => (onReadable = undefined),
    receive: () => 0,
  };
  const pausesMs = [0, 20, 0];
  const connection = new Connection(
    device as unknown as FuseDevice,
    {},
    {
      spinMicroseconds: 0,
      turnMs: 4,
      onAnswered: () => pausesMs.shift()!,
      onSent: () => {},
      onEnd: fail,
      onError: fail,
    },
  );
  connection.start();
  onReadable!();
  expect(onReadable).toBeDefined();
  onReadable!();
  expect(onReadable).toBeUndefined();
  vi.advanceTimersByTime(19);
  expect(onReadable).toBeUndefined();
  vi.advanceTimersByTime(1);
  expect(onReadable).toBeDefined();
});

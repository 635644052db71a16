import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { PendingRequests } from "./pending-requests.ts";
import { OPCODE } from "./protocol.ts";

const THREAD = 77;

let answered: number[];
let isTold: boolean;
let pending: PendingRequests;

beforeEach(() => {
  vi.useFakeTimers();
  answered = [];
  isTold = false;
  pending = new PendingRequests(
    (low) => void answered.push(low),
    (thread) => isTold && thread === THREAD,
  );
});

afterEach(() => {
  pending[Symbol.dispose]();
  vi.useRealTimers();
});

const request = (opcode: number, uniqueLow = 6): Parameters<PendingRequests["add"]>[0] => ({
  opcode,
  uniqueLow,
  uniqueHigh: 0,
  thread: THREAD,
});

test("PendingRequests ends the wait of who is told to stop, once", () => {
  const waiting = pending.add(request(OPCODE.OPEN));
  isTold = true;
  pending.interrupt(6, 0);
  pending.interrupt(6, 0);
  expect(waiting.isInterrupted).toBe(true);
  expect(answered).toEqual([6]);
});

test("PendingRequests lets wait who got another signal, until he is told to stop", () => {
  const waiting = pending.add(request(OPCODE.READ));
  pending.interrupt(6, 0);
  vi.advanceTimersByTime(1000);
  expect(waiting.isInterrupted).toBe(false);
  isTold = true;
  vi.advanceTimersByTime(100);
  expect(waiting.isInterrupted).toBe(true);
  expect(answered).toEqual([6]);
});

test("PendingRequests looks no more at the signals of who was answered", () => {
  pending.add(request(OPCODE.OPEN));
  pending.interrupt(6, 0);
  pending.remove(request(OPCODE.OPEN));
  isTold = true;
  vi.advanceTimersByTime(1000);
  pending.interrupt(6, 0);
  expect(answered).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
});

test("PendingRequests leaves no timer behind", () => {
  pending.add(request(OPCODE.OPEN));
  pending.interrupt(6, 0);
  expect(vi.getTimerCount()).toBe(1);
  pending[Symbol.dispose]();
  expect(vi.getTimerCount()).toBe(0);
});

test.each(["FSYNC", "FSYNCDIR", "WRITE", "FALLOCATE"] as const)(
  "PendingRequests lets nobody stop %s",
  (name) => {
    const waiting = pending.add(request(OPCODE[name]));
    isTold = true;
    pending.interrupt(6, 0);
    vi.advanceTimersByTime(1000);
    expect(waiting.isInterrupted).toBe(false);
    expect(answered).toEqual([]);
  },
);

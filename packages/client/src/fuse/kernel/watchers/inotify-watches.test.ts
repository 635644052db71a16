import {
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, onTestFinished, test } from "vitest";

import { watchedInodes } from "./inotify-watches.ts";

function temporary(): string {
  const directory = mkdtempSync(join(tmpdir(), "izo-watches-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

test("watchedInodes() finds what a program of this machine watches, until it ends", () => {
  const directory = temporary();
  const { dev, ino } = statSync(directory, { bigint: true });
  const watcher = watch(directory);
  expect(watchedInodes(Number(dev))).toContain(ino);
  watcher.close();
  expect(watchedInodes(Number(dev))).not.toContain(ino);
});

test("watchedInodes() reads watches of one file system only, and passes over what it may not see", () => {
  const proc = temporary();
  const withDescriptor = (process: string, link: string, info: string): void => {
    mkdirSync(join(proc, process, "fd"), { recursive: true });
    mkdirSync(join(proc, process, "fdinfo"));
    symlinkSync(link, join(proc, process, "fd/7"));
    writeFileSync(join(proc, process, "fdinfo/7"), `pos:\t0\nflags:\t00\n${info}`);
  };
  const here = "ignored_mask:0 fhandle-bytes:8 fhandle-type:1 f_handle:00";
  withDescriptor(
    "10",
    "anon_inode:inotify",
    `inotify wd:1 ino:2a sdev:800010 mask:fff ${here}\ninotify wd:2 ino:ffffffffffffff sdev:800010 mask:2 ${here}\n` +
      `inotify wd:3 ino:2b sdev:800011 mask:fff ${here}\n`,
  );
  withDescriptor(
    "11",
    "anon_inode:[fanotify]",
    `fanotify flags:10 event-flags:0\nfanotify ino:2c sdev:800010 mflags:0 mask:3b ${here}\n`,
  );
  withDescriptor(
    "12",
    "anon_inode:[eventpoll]",
    `inotify wd:1 ino:2d sdev:800010 mask:fff ${here}\n`,
  );
  mkdirSync(join(proc, "13"));
  writeFileSync(join(proc, "uptime"), "");
  // Major 8, minor 16: 8:16 is 0x810 for stat(2).
  expect(watchedInodes(0x810, proc)).toEqual(new Set([0x2an, 0xffffffffffffffn, 0x2cn]));
});

import { closeSync, openSync, readSync } from "node:fs";

/**
 * The platform that a native file is built for, as the name of its folder under `prebuilds/`: `linux-x64-glibc`.
 *
 * The C library is part of it: a file linked against glibc does not load under musl.
 */
export function nativeTarget(): string {
  const { platform, arch } = process;
  return platform === "linux" ? `${platform}-${arch}-${readCLibrary()}` : `${platform}-${arch}`;
}

/**
 * Which C library this Node runs on, from the interpreter that its ELF header asks for (elf(5), PT_INTERP, within the first
 * pages of every linked executable). Cheaper than `process.report`, which takes milliseconds at each start.
 */
function readCLibrary(): "glibc" | "musl" {
  const head = Buffer.alloc(4096);
  const fd = openSync(process.execPath, "r");
  try {
    readSync(fd, head, 0, head.length, 0);
  } finally {
    closeSync(fd);
  }
  return head.includes("/ld-musl-") ? "musl" : "glibc";
}

import { readFileSync, statSync } from "node:fs";

/** A small file that may be replaced at any time: its text is what it holds now. */
export class FollowedFile {
  readonly path: string;
  #version = "";
  #text = "";

  constructor(path: string) {
    this.path = path;
  }

  /** @throws the disk's errors */
  text(): string {
    const version = this.version();
    if (version === this.#version) return this.#text;
    this.#text = readFileSync(this.path, "utf8");
    this.#version = version;
    return this.#text;
  }

  /** Differs after every change. @throws the disk's errors */
  version(): string {
    const { ino, mtimeNs, ctimeNs, size } = statSync(this.path, { bigint: true });
    return `${ino} ${mtimeNs} ${ctimeNs} ${size}`;
  }
}

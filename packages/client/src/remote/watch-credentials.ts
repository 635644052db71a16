import type { CredentialFiles } from "./credentials.ts";
import { FollowedFile } from "./followed-file.ts";

/** How often the files are looked at: each look costs some microseconds. */
const LOOK_MS = 1_000;

/** Calls `onChange` whenever one of the files is another one, until it is disposed of. */
export function watchCredentials(
  { tokenFile, caFile, certFile, keyFile }: CredentialFiles,
  onChange: () => void,
): Disposable {
  const files = [tokenFile, caFile, certFile, keyFile]
    .filter((path) => path !== undefined)
    .map((path) => new FollowedFile(path));
  const versions = (): string => files.map(versionOf).join("\n");
  let last = versions();
  const timer = setInterval(() => {
    const now = versions();
    if (now === last) return;
    last = now;
    onChange();
  }, LOOK_MS).unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

function versionOf(file: FollowedFile): string {
  try {
    return file.version();
  } catch {
    return "";
  }
}

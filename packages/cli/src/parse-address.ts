import { UsageError } from "./usage-error.ts";

/** Tells whether an argument is the URL of a server, as opposed to a path. */
export function isUrl(text: string): boolean {
  return /^https?:\/\//i.test(text);
}

/**
 * An address to listen on, `HOST:PORT`, `[::1]:PORT` or `PORT` alone, which means this machine only.
 * Port 0 takes one that is free.
 *
 * @throws UsageError
 */
export function parseListen(text: string): { host: string; port: number } {
  const match = /^(?:(?:\[([^\]]+)\]|([^:]*)):)?([0-9]{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new UsageError(
      `Cannot listen on ${JSON.stringify(text)}: it is no address`,
      'write HOST:PORT, like "127.0.0.1:8370" or "[::]:8370"',
    );
  }
  return { host: match[1] ?? (match[2] || "127.0.0.1"), port };
}

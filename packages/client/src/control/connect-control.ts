import { request } from "node:http";
import { text } from "node:stream/consumers";

import { IzoError } from "@izo/core";
import { z } from "zod";

import type { MountSettings } from "../settings/mount-settings.ts";
import { withSocketPath } from "./control-socket.ts";
import type { MountControl, MountStatus } from "./mount-control.ts";

/** Nobody answers on the control socket: the process that served the mount is gone. */
export class MountNotAnsweringError extends IzoError {
  constructor(cacheDir: string, cause: unknown) {
    super(
      "mount-not-answering",
      `Cannot reach the mount of the cache ${JSON.stringify(cacheDir)}: nobody answers`,
      { cacheDir },
      { cause },
    );
  }
}

const failureSchema = z.object({ code: z.string(), message: z.string() });

/**
 * The control of the mount that uses a cache directory; each call connects anew.
 *
 * Its methods throw MountNotAnsweringError where no process serves that cache, and an IzoError with the
 * code of the mount's own error where it failed there.
 */
export function connectControl(cacheDir: string): MountControl {
  const never = new AbortController().signal;
  return {
    status: async () => (await call(cacheDir, "GET", "/status", never)) as MountStatus,
    flush: async (signal) => void (await call(cacheDir, "POST", "/flush", signal)),
    waitFor: async (recno, signal) =>
      void (await call(cacheDir, "POST", `/wait?recno=${recno}`, signal)),
    changeSettings: async (change) =>
      (await call(cacheDir, "POST", "/settings", never, change)) as MountSettings,
    unmount: async () => void (await call(cacheDir, "POST", "/unmount", never)),
  };
}

async function call(
  cacheDir: string,
  method: string,
  path: string,
  signal: AbortSignal,
  asked?: unknown,
): Promise<unknown> {
  const { status, body } = await exchange(cacheDir, method, path, signal, asked);
  const value: unknown = JSON.parse(body);
  if (status === 200) return value;
  const { code, message } = failureSchema.parse(value);
  throw new IzoError(code, message);
}

async function exchange(
  cacheDir: string,
  method: string,
  path: string,
  signal: AbortSignal,
  asked: unknown,
): Promise<{ status: number | undefined; body: string }> {
  try {
    return await withSocketPath(cacheDir, (socketPath) => {
      const { promise, resolve, reject } = Promise.withResolvers<{
        status: number | undefined;
        body: string;
      }>();
      request({ socketPath, method, path, signal }, (response) => {
        text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
      })
        .once("error", reject)
        .end(asked === undefined ? undefined : JSON.stringify(asked));
      return promise;
    });
  } catch (cause) {
    signal.throwIfAborted();
    throw new MountNotAnsweringError(cacheDir, cause);
  }
}

/** What the thread is asked: to write what comes over a connection to a file, from a place in it up to another. */
export interface LandingOrder {
  readonly socketFd: number;
  readonly fileFd: number;
  readonly startBytes: number;
  readonly endBytes: number;
  /** So long nothing may come. */
  readonly silenceMs: number;
  /** One Int32: anything but 0 asks the thread to end. */
  readonly stop: SharedArrayBuffer;
}

/** How it came to its end. The errors are what of an error goes from one thread to another. */
export type LandingEnd =
  | { readonly how: "whole" | "stopped" | "cut-off" | "silent" }
  | { readonly how: "network" | "disk"; readonly message: string; readonly code: string };

/** What the thread says: that it has begun, that so many more bytes are written, that it is done. */
export type LandingNews = "ready" | number | LandingEnd;

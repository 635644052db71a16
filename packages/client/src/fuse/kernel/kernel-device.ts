import type { FuseDevice } from "@izo/sys";

/** What a {@link FuseDevice} is to those who serve it. */
export type KernelDevice = Pick<
  FuseDevice,
  | "fd"
  | "isByHelper"
  | "start"
  | "stop"
  | "receive"
  | "send"
  | "openBacking"
  | "closeBacking"
  | "detach"
  | keyof Disposable
>;

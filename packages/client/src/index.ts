// control
export { connectControl, MountNotAnsweringError } from "./control/connect-control.ts";
export type { MountControl, MountStatus } from "./control/mount-control.ts";
export { serveControl } from "./control/serve-control.ts";

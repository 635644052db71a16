export { connectServer, ServerNotAnsweringError } from "./control/connect-control.ts";
export type { ServerControl } from "./control/server-control.ts";
export type { Export } from "./export/export.ts";
export type { LookProgress } from "./export/look.ts";
export { openExport, type OpenExportOptions } from "./export/open-export.ts";
export { createApp } from "./routes/app.ts";
export { CannotListenError, type RunningServer, serve, type ServeOptions } from "./serve.ts";

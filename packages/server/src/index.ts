export { openAccess } from "./auth/open-access.ts";
export type { StoredToken } from "./auth/stored-token.ts";
export { tokensOf } from "./auth/token-control.ts";
export {
  type ExportAbove,
  exportsAbove,
  ignoreRulesOf,
  realPlace,
} from "./control/exports-above.ts";
export { connectServer, ServerNotAnsweringError } from "./control/connect-control.ts";
export type { ServerControl } from "./control/server-control.ts";
export type { Export, Truncated, TruncateRequest } from "./export/export.ts";
export type { LookProgress } from "./export/look/look-options.ts";
export { openExport, type OpenExportOptions } from "./export/open-export.ts";
export { reindexExport, type Reindexed } from "./export/reindex-export.ts";
export { createApp } from "./routes/app.ts";
export { CannotListenError, type RunningServer, serve, type ServeOptions } from "./serve.ts";
export type { Difference } from "./verify/difference.ts";
export { inspectExport, type Inspection } from "./verify/inspect-export.ts";
export { repairExport, type ExportRepair } from "./verify/repair-export.ts";

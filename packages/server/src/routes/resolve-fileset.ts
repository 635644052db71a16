import { ProblemError } from "@izo/core";
import { createMiddleware } from "hono/factory";

import type { AppEnvironment } from "./app-environment.ts";

/** Finds the fileset that the path names. */
export const resolveFileset = createMiddleware<AppEnvironment>(async (c, next) => {
  const name = c.req.param("fileset");
  const fileset = c.var.filesets.find(({ filesetName }) => filesetName === name);
  if (fileset === undefined) {
    const names = c.var.filesets.map(({ filesetName }) => filesetName);
    throw new ProblemError(
      "unknown-fileset",
      `Cannot find the fileset ${JSON.stringify(name)}: this server has ${names.join(", ")}`,
      { fileset: name, filesets: names },
    );
  }
  c.set("fileset", fileset);
  await next();
});

import { ProblemError, writePositionResponse } from "@izo/core";
import { createFactory } from "hono/factory";

import type { AppEnvironment } from "./app-environment.ts";
import { jsonResponse } from "./json-response.ts";
import { positionParameters } from "./parameters.ts";
import { validate } from "./validate.ts";

/**
 * The place behind a record, for people and programs that start to read somewhere in the log. Who follows
 * it asks with the hash that it has computed itself, and finds out when the log is another one.
 */
export const getPosition = createFactory<AppEnvironment>().createHandlers(
  validate("param", positionParameters),
  (c) => {
    const { fileset } = c.var;
    const { recno } = c.req.valid("param");
    const head = fileset.headPosition;
    if (recno > head.recno) {
      throw new ProblemError(
        "unknown-record",
        `Cannot give the place behind record ${recno}: the log ends at record ${head.recno}`,
        { recno, head: head.recno },
      );
    }
    return jsonResponse(c, writePositionResponse(fileset.positionAt(recno)));
  },
);

import { type Oid, ProblemError, type Recno } from "@izo/core";
import { bodyLimit } from "hono/body-limit";
import { createFactory } from "hono/factory";

import { isSameOrigin } from "../auth/ask-without-token.ts";
import {
  CannotResolveError,
  type ResolutionKind,
  RESOLUTIONS,
} from "../export/conflicts/plan-resolution.ts";
import type { AppEnvironment } from "../routes/app-environment.ts";
import { answerConflict } from "./get-conflict.ts";
import { pagePath } from "./page-routes.ts";

/** Three short fields. */
const MAX_FORM_BYTES = 1024;

/** Carries out a decision about a conflict, and goes back to the list. */
export const postConflict = createFactory<AppEnvironment>().createHandlers(
  bodyLimit({ maxSize: MAX_FORM_BYTES, onError: () => refuse("it is too long") }),
  async (c) => {
    // A page of another site could send this form too, with whatever lets its reader in here.
    if (!isSameOrigin(c)) refuse("it comes from another site");
    const { fileset } = c.var;
    const form = new URLSearchParams(await c.req.text());
    const copy = c.req.param("copy") as Oid;
    const seen = {
      copy: versionOf(form.get("copyVersion")) ?? refuse("a field is missing"),
      original: versionOf(form.get("originalVersion")),
    };
    try {
      await fileset.resolveConflict({ copy, kind: kindOf(form.get("how")), seen });
    } catch (error) {
      if (!(error instanceof CannotResolveError)) throw error;
      if (fileset.conflictSides(copy) !== undefined) {
        return answerConflict(c, copy, error.message);
      }
    }
    return c.redirect(pagePath("conflicts", { fileset: fileset.filesetName }), 303);
  },
);

function kindOf(text: string | null): ResolutionKind {
  return RESOLUTIONS.find((kind) => kind === text) ?? refuse("it does not say what is chosen");
}

function versionOf(text: string | null): Recno | null {
  return text !== null && /^\d{1,15}$/.test(text) ? (Number(text) as Recno) : null;
}

function refuse(reason: string): never {
  throw new ProblemError("invalid-request", `Cannot take the decision: ${reason}`);
}

import { zValidator } from "@hono/zod-validator";
import { isProblemCode, ProblemError } from "@izo/core";
import type { z } from "zod";

/**
 * Lets a request pass whose query or path has this form, with `c.req.valid(target)` typed. A schema may
 * name the problem that it stands for in `params.code`; what does not is `invalid-request`.
 */
export function validate<Target extends "query" | "param", Schema extends z.ZodType>(
  target: Target,
  schema: Schema,
) {
  return zValidator(target, schema, (result) => {
    if (result.success) return;
    const [issue] = result.error.issues;
    const params = issue?.code === "custom" ? issue.params : undefined;
    const code = isProblemCode(params?.["code"]) ? params["code"] : "invalid-request";
    const where = issue?.path.join(".") ?? "";
    throw new ProblemError(
      code,
      `Cannot read the request: ${where === "" ? "" : `${target} "${where}": `}${issue?.message ?? ""}`,
      { in: target, name: where },
    );
  });
}

import { MEDIA_TYPES, PROTOCOL_VERSION, ROUTES } from "@izo/core";
import { z } from "zod";

import { isOpen } from "../auth/required-access.ts";
import { type Answer, type Operation, OPERATIONS } from "./openapi-operations.ts";
import { problemAnswer } from "./response-schemas.ts";

/** The OpenAPI 3.1 document of this server. The parameters in it are the schemas that check requests. */
export function openapiDocument(): OpenapiDocument {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of OPERATIONS) {
    const path = ROUTES[operation.route].replaceAll(/:(\w+)/g, "{$1}") + (operation.rest ?? "");
    (paths[path] ??= {})[operation.method] = describeOperation(operation);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "izo",
      version: String(PROTOCOL_VERSION),
      description:
        "A fileset's modification log, its contents, and the way back for changes. Answers under /v1 state the protocol's version in Izo-Protocol.",
    },
    paths,
    components: {
      schemas: { Problem: toJsonSchema(problemAnswer, "output") },
      securitySchemes: {
        token: {
          type: "http",
          scheme: "bearer",
          description: "A token of izo token create, where the server requires one",
        },
      },
    },
    security: [{ token: [] }],
  };
}

export interface OpenapiDocument {
  readonly openapi: string;
  readonly info: Readonly<Record<string, string>>;
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
}

function describeOperation(operation: Operation): Record<string, unknown> {
  const { method, route, rest, summary, body } = operation;
  return {
    operationId: `${method}-${route}${rest === undefined || rest === "" ? "" : "-path"}`,
    summary,
    ...(isOpen(route) && { security: [] }),
    parameters: [
      ...parametersIn("path", operation.path),
      ...parametersIn("query", operation.query),
      ...(operation.headers ?? []).map((name) => ({
        name,
        in: "header",
        schema: { type: "string" },
      })),
    ],
    ...(body !== undefined && { requestBody: { required: true, content: { [body]: {} } } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(operation.answers).map(([status, answer]) => [
          status,
          describeAnswer(answer),
        ]),
      ),
      default: {
        description: "A problem",
        content: { [MEDIA_TYPES.problem]: { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  };
}

function describeAnswer({ description, content, headers }: Answer): Record<string, unknown> {
  return {
    description,
    ...(headers !== undefined && {
      headers: Object.fromEntries(headers.map((name) => [name, { schema: { type: "string" } }])),
    }),
    ...(content !== undefined && {
      content: Object.fromEntries(
        Object.entries(content).map(([type, schema]) => [
          type,
          schema === null ? {} : { schema: toJsonSchema(schema, "output") },
        ]),
      ),
    }),
  };
}

function parametersIn(place: "path" | "query", schema: z.ZodType | undefined): unknown[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = toJsonSchema(schema, "input");
  return Object.entries(properties).map(([name, form]) => ({
    name,
    in: place,
    required: place === "path" || required.includes(name),
    schema: form,
  }));
}

/** Transforms are left out of what clients send: `io` says which side of them is meant. */
function toJsonSchema(schema: z.ZodType, io: "input" | "output"): z.core.JSONSchema.BaseSchema {
  const { $schema: _, ...form } = z.toJSONSchema(schema, { io });
  return form;
}

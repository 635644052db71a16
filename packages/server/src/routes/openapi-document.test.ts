import { ROOT_OID } from "@izo/core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";

import { openTestApp, type TestApp } from "../testing/test-app.ts";
import { PAGE_ROUTES } from "../web/page-routes.ts";
import { openapiDocument } from "./openapi-document.ts";

interface Form {
  readonly schema?: z.core.JSONSchema.JSONSchema;
}
interface DocumentedOperation {
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, Form>> }>
  >;
}

let t: TestApp;
let paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>;
let problemForm: z.core.JSONSchema.JSONSchema;
beforeAll(async () => {
  t = await openTestApp();
  const served = await (await t.app.request("/v1/openapi.json")).json();
  ({ paths } = served as { paths: typeof paths });
  problemForm = (served as { components: { schemas: { Problem: typeof problemForm } } }).components
    .schemas.Problem;
});
afterAll(async () => {
  await t[Symbol.asyncDispose]();
});

describe("the OpenAPI document", () => {
  test("is served as it is made", async () => {
    expect(await (await t.app.request("/v1/openapi.json")).json()).toEqual(
      JSON.parse(JSON.stringify(openapiDocument())),
    );
  });

  test("has every route of the app, and no other", () => {
    const served = t.app.routes
      .filter(({ method }) => method !== "ALL")
      // Pages are for people, and no part of the protocol.
      .filter(({ path }) => path === "/" || !isPage(path))
      .map(({ method, path }) => `${method.toLowerCase()} ${path}`);
    const documented = Object.entries(paths).flatMap(([path, operations]) =>
      Object.keys(operations)
        // Hono answers every HEAD by the handler of its GET.
        .filter((method) => method !== "head")
        .map((method) => `${method} ${asHonoPath(path)}`),
    );
    expect([...new Set(served)].toSorted()).toEqual(documented.toSorted());
  });

  test.each([
    ["/", "/"],
    ["/healthz", "/healthz"],
    ["/metrics", "/metrics"],
    ["/v1/filesets", "/v1/filesets"],
    ["/v1/filesets/{fileset}/profile", "/v1/filesets/rootfset/profile"],
    ["/v1/filesets/{fileset}/status", "/v1/filesets/rootfset/status"],
    ["/v1/filesets/{fileset}/conflicts", "/v1/filesets/rootfset/conflicts"],
    ["/v1/filesets/{fileset}/kml/segments", "/v1/filesets/rootfset/kml/segments"],
    ["/v1/filesets/{fileset}/snapshot", "/v1/filesets/rootfset/snapshot"],
    ["/v1/filesets/{fileset}/tree", "/v1/filesets/rootfset/tree?at=3&against=1"],
    ["/v1/filesets/{fileset}/history", `/v1/filesets/rootfset/history?oid=${ROOT_OID}`],
    ["/v1/filesets/{fileset}/history/{path}", "/v1/filesets/rootfset/history/hello.txt"],
    ["/v1/filesets/{fileset}/blame", "/v1/filesets/rootfset/blame"],
    [
      "/v1/filesets/{fileset}/blame/{path}",
      "/v1/filesets/rootfset/blame/sub?at=@2100-01-01T00:00:00Z",
    ],
    ["/v1/filesets/{fileset}/permit", "/v1/filesets/rootfset/permit"],
    ["/v1/filesets/{fileset}/files", "/v1/filesets/rootfset/files"],
    ["/v1/filesets/{fileset}/files/{path}", "/v1/filesets/rootfset/files/sub"],
  ])("describes what %s answers", async (path, url) => {
    const response = await t.app.request(url);
    expect(await findUndocumented(paths[path]!["get"]!, response)).toBeNull();
  });

  test.each(["/v1/filesets/other/profile", "/v1/filesets/rootfset/kml?after=x", "/v1/nothing"])(
    "describes the problem of %s",
    async (url) => {
      const problem = await (await t.app.request(url)).json();
      expect(z.fromJSONSchema(problemForm).safeParse(problem).error).toBeUndefined();
    },
  );
});

/** What of an answer is not as documented: status, media type or body; null where all is. */
async function findUndocumented(
  operation: DocumentedOperation,
  response: Response,
): Promise<string | null> {
  const answer = operation.responses[String(response.status)];
  if (answer === undefined) return `status ${response.status}`;
  const type = (response.headers.get("Content-Type") ?? "").split(";")[0]!;
  const form = answer.content?.[type];
  if (form === undefined) return `media type ${type}`;
  if (form.schema === undefined) return null;
  const { error } = z.fromJSONSchema(form.schema).safeParse(await response.json());
  return error === undefined ? null : error.message;
}

function isPage(path: string): boolean {
  return Object.values(PAGE_ROUTES).some((page) => path === page || path === `${page}/*`);
}

function asHonoPath(path: string): string {
  return path.replace("{path}", "*").replaceAll(/\{(\w+)\}/g, ":$1");
}

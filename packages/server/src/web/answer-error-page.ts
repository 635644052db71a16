import { problemOf } from "@izo/core";
import { html } from "hono/html";

import type { AppContext } from "../routes/app-environment.ts";
import { answerPage } from "./page.ts";

/** The page in place of one that could not be made. What nobody foresaw is logged here, once. */
export async function answerErrorPage(error: unknown, c: AppContext): Promise<Response> {
  const { code, status, title, detail } = problemOf(error);
  if (code === "internal") {
    c.var.logger.error({ err: error, requestId: c.var.requestId }, "page failed");
  }
  const answer = await answerPage(c, {
    title,
    ...(c.var.fileset !== undefined && { fileset: c.var.fileset }),
    body: html`<h1>${title}</h1>
      <div class="lead attention"><p>${detail.toWellFormed()}</p></div>
      <p class="facts">${code}, request <code>${c.var.requestId}</code></p>`,
  });
  return new Response(answer.body, { status, headers: answer.headers });
}

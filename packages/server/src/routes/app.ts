import { ROUTES } from "@izo/core";
import { Hono } from "hono";
import { pino, type Logger } from "pino";

import { ANYBODY, type AccessControl } from "../auth/access-control.ts";
import { authorize } from "../auth/authorize.ts";
import { getLogin, postLogin, postLogout } from "../auth/login.ts";
import type { Export } from "../export/export.ts";
import { Budget } from "../limits/budget.ts";
import { limitRequests } from "../limits/limit-requests.ts";
import { DEFAULT_LIMITS, type Limits } from "../limits/limits.ts";
import { createPages } from "../web/pages.ts";
import type { AppEnvironment } from "./app-environment.ts";
import { getContentPack } from "./get-content-pack.ts";
import { getContent } from "./get-content.ts";
import { getEvents } from "./get-events.ts";
import { getFile } from "./get-file.ts";
import { getBlame, getHistory, getPathHistory, getTree } from "./get-history.ts";
import { getKml } from "./get-kml.ts";
import { getMetrics } from "./get-metrics.ts";
import { getPosition } from "./get-position.ts";
import { getConflicts, getFilesets, getPeers, getProfile, getStatus } from "./get-profile.ts";
import { getSegment, getSegments } from "./get-segments.ts";
import { getSnapshot } from "./get-snapshot.ts";
import { Metrics } from "./metrics.ts";
import { noteRequest } from "./note-request.ts";
import { openapiDocument } from "./openapi-document.ts";
import { getPermits, postPermit } from "./post-permit.ts";
import { postReintegrate } from "./post-reintegrate.ts";
import { answerError, answerUnknownRoute } from "./problem-response.ts";
import { putContent } from "./put-content.ts";
import { resolveFileset } from "./resolve-fileset.ts";
import { speakProtocol } from "./speak-protocol.ts";

export interface AppOptions {
  readonly filesets: readonly Export[];
  readonly logger?: Logger;
  /** Aborted when the server is about to stop: polls that wait are answered at once. */
  readonly signal?: AbortSignal;
  /** Who may ask for what; anybody for everything where it is missing. */
  readonly access?: AccessControl;
  /** Changes of clients are refused; those of programs in the directory are logged as ever. */
  readonly isReadOnly?: boolean;
  /**
   * Only programs of this machine reach it: who asks for it by a name that others give out needs a token,
   * also before there is one.
   */
  readonly isForThisMachine?: boolean;
  /** How much others may use of it; what is not said is as by default. */
  readonly limits?: Partial<Limits>;
}

/**
 * The HTTP side of a server: it parses, asks an {@link Export}, and writes. It keeps nothing between
 * requests but counters, so there may be several of it in front of one export (design §11).
 *
 * @example await createApp({ filesets: [fileset] }).request("/v1/filesets")
 */
export function createApp(options: AppOptions): Hono<AppEnvironment> {
  const { filesets, logger = pino({ enabled: false }), signal, access } = options;
  const { isReadOnly = false, isForThisMachine = false } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const budget = new Budget(limits.maxBufferedBytes);
  const app = new Hono<AppEnvironment>();
  const metrics = new Metrics();
  const ends = signal === undefined ? [] : [signal];

  app.onError(answerError);
  app.notFound(answerUnknownRoute);
  app.use(async (c, next) => {
    c.set("filesets", filesets);
    c.set("metrics", metrics);
    c.set("logger", logger);
    c.set("access", access);
    c.set("isReadOnly", isReadOnly);
    c.set("isForThisMachine", isForThisMachine);
    c.set("budget", budget);
    c.set("caller", ANYBODY);
    c.set("ends", ends);
    await next();
  });
  app.use(noteRequest);
  app.use("/v1/*", speakProtocol);
  app.use(ROUTES.metrics, speakProtocol);
  app.use(authorize);
  app.use(limitRequests(limits.maxRequests));
  app.use("/v1/filesets/:fileset/*", resolveFileset);

  app.get(ROUTES.login, getLogin);
  app.post(ROUTES.login, ...postLogin);
  app.post(ROUTES.logout, postLogout);
  app.get(ROUTES.health, (c) => c.json({ status: "ok" }));
  app.get(ROUTES.metrics, getMetrics);
  app.get(ROUTES.openapi, (c) => c.json(openapiDocument()));
  app.get(ROUTES.filesets, getFilesets);
  app.get(ROUTES.profile, getProfile);
  app.get(ROUTES.status, getStatus);
  app.get(ROUTES.peers, getPeers);
  app.get(ROUTES.conflicts, getConflicts);
  app.get(ROUTES.kml, ...getKml);
  app.get(ROUTES.events, ...getEvents);
  app.get(ROUTES.segments, getSegments);
  app.get(ROUTES.segment, ...getSegment);
  app.get(ROUTES.position, ...getPosition);
  app.get(ROUTES.snapshot, ...getSnapshot);
  app.get(ROUTES.tree, ...getTree);
  app.get(ROUTES.history, ...getHistory);
  app.get(`${ROUTES.history}/*`, ...getPathHistory);
  app.get(ROUTES.blame, ...getBlame);
  app.get(`${ROUTES.blame}/*`, ...getBlame);
  app.get(ROUTES.contentPack, ...getContentPack);
  app.get(ROUTES.content, ...getContent);
  app.put(ROUTES.content, ...putContent);
  app.post(ROUTES.reintegrate, ...postReintegrate);
  app.get(ROUTES.permit, getPermits);
  app.post(ROUTES.permit, ...postPermit);
  app.get(ROUTES.files, ...getFile);
  app.get(`${ROUTES.files}/*`, ...getFile);
  app.route("/", createPages());
  return app;
}

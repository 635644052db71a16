/**
 * Composition root of a server: one exported directory behind one listening socket. It holds nothing
 * of its own that a crash could lose.
 */
import { once } from "node:events";
import type { Server } from "node:http";
import { createServer as createTlsServer, Server as TlsServer } from "node:https";
import type { AddressInfo } from "node:net";

import { createAdaptorServer } from "@hono/node-server";
import { isLoopback, IzoError, type PolicyRule } from "@izo/core";
import { type Logger, pino } from "pino";

import { checkExposure } from "./auth/check-exposure.ts";
import { openAccess } from "./auth/open-access.ts";
import { readTokens } from "./auth/token-file.ts";
import { serveControl } from "./control/serve-control.ts";
import { serveLocalApi } from "./control/serve-local-api.ts";
import type { ContentRetention } from "./export/contents/content-retention.ts";
import type { Export } from "./export/export.ts";
import type { LogRetention } from "./export/log-life/log-retention.ts";
import type { LookProgress } from "./export/look/look-options.ts";
import { openExport } from "./export/open-export.ts";
import { accessFilesOf } from "./export/state-directory.ts";
import { DEFAULT_LIMITS, type Limits } from "./limits/limits.ts";
import { createApp } from "./routes/app.ts";
import { type FollowedTls, followTlsFiles } from "./tls/follow-tls-files.ts";
import { readTlsFiles, type TlsFiles } from "./tls/tls-files.ts";

export interface ServeOptions {
  /** The directory to export, in place. */
  readonly directory: string;
  /** Its name in URLs; `rootfset` by default. */
  readonly filesetName?: string;
  readonly host: string;
  /** 0 takes one that is free. */
  readonly port: number;
  readonly logger?: Logger;
  /** Told how far the scan at start is. */
  readonly onProgress?: (progress: LookProgress) => void;
  /** Ends the start while the export is scanned, with its reason as error; a server that runs does not go by it. */
  readonly signal?: AbortSignal;
  /** How long a permit holds without being renewed; a minute by default. */
  readonly permitTermMs?: number;
  /** How long records stay in the log; what is not said is as by default. */
  readonly logRetention?: Partial<LogRetention>;
  /** How long old contents are kept; what is not said is as by default. */
  readonly contentRetention?: Partial<ContentRetention>;
  /** Log the removals that an earlier scan held back (design S4). */
  readonly confirmsRemoval?: boolean;
  /** Speak TLS, with a certificate that is taken anew when its files change. */
  readonly tls?: TlsFiles;
  /** Serve other machines all the same, without TLS or without tokens. */
  readonly isInsecure?: boolean;
  /** How much others may use of it; what is not said is as by default. */
  readonly limits?: Partial<Limits>;
  /** Refuse changes of clients. */
  readonly isReadOnly?: boolean;
  /** What becomes of the later of two truths, by path; the first rule that matches counts. */
  readonly conflictPolicies?: readonly PolicyRule[];
  /** A push that removes more than so many percent of the names has to be confirmed; 90 by default, 100 for none. */
  readonly heldRemovalPercent?: number;
  /**
   * Patterns of what of the directory stays out of the fileset, as `.gitignore` has them; by default those
   * by which it was served last.
   */
  readonly ignore?: readonly string[];
}

/** A server that accepts requests. Disposing of it answers those in progress and closes the export. */
export interface RunningServer extends AsyncDisposable {
  /** `http://HOST:PORT/FILESET`, or `https:`, as `izo mount` takes it. */
  readonly url: string;
  readonly fileset: Export;
  /** Takes certificate and key from their files again, now. */
  reload(): void;
}

/** Nobody can listen there: the port is taken, or the address is not this machine's. */
export class CannotListenError extends IzoError {
  constructor(host: string, port: number, cause: unknown) {
    const code = cause instanceof Error && "code" in cause ? String(cause.code) : "cannot-listen";
    const reason = cause instanceof Error ? cause.message : String(cause);
    super(code, `Cannot listen on ${host}:${port}: ${reason}`, { host, port }, { cause });
  }
}

/** What a request is told until the first scan is over. */
function notReady(_request: Request): Response | Promise<Response> {
  return new Response("The export is being scanned\n", {
    status: 503,
    headers: { "Retry-After": "1" },
  });
}

/** Requests in progress may take so long when the server stops; then their connections are cut. */
const GRACE_MS = 5_000;
const IDLE_CHECK_MS = 20;

/**
 * Takes the port, opens the export (which scans it) and serves it. The port comes first, so that one
 * which is taken is found out before a scan that may take minutes; until the scan is over it answers 503.
 *
 * @throws ExposedServerError, UnusableTlsError, CannotListenError, InvalidTokenFileError; what `openExport` throws
 */
export async function serve(options: ServeOptions): Promise<RunningServer> {
  const {
    directory,
    host,
    port,
    onProgress,
    signal,
    confirmsRemoval,
    permitTermMs,
    heldRemovalPercent,
    filesetName = "rootfset",
    tls,
  } = options;
  const logger = options.logger ?? pino({ enabled: false });
  const { tokens: tokenFile } = accessFilesOf(directory, filesetName);
  checkExposure({
    host,
    hasTls: tls !== undefined,
    requiresTokens: readTokens(tokenFile) !== null,
    isInsecure: options.isInsecure === true,
  });
  const ending = new AbortController();
  let answer: Answer = notReady;
  const http = createHttpServer(tls, (request, connection) => answer(request, connection));

  await using cleanUp = new AsyncDisposableStack();
  boundConnections(http, { ...DEFAULT_LIMITS, ...options.limits });
  const followed = cleanUp.use(followTls(http, tls, logger));
  await listen(http, host, port);
  cleanUp.defer(() => close(http));
  const fileset = cleanUp.use(
    await openExport({
      dir: directory,
      filesetName,
      onNotice: (notice) => logger.warn(notice),
      onError: (error) => logger.error({ err: error }, "the export met an error"),
      ...(onProgress !== undefined && { onProgress }),
      ...(signal !== undefined && { signal }),
      ...(permitTermMs !== undefined && { permitTermMs }),
      ...(confirmsRemoval !== undefined && { confirmsRemoval }),
      conflictPolicies: options.conflictPolicies ?? [],
      ...(heldRemovalPercent !== undefined && { heldRemovalPercent }),
      ...(options.ignore !== undefined && { ignore: options.ignore }),
      logRetention: options.logRetention ?? {},
      contentRetention: options.contentRetention ?? {},
    }),
  );
  const access = cleanUp.use(
    openAccess(fileset, (error) => logger.error({ err: error }, "no token is valid")),
  );
  cleanUp.use(await serveControl(fileset, access.holders));
  // Disposed of first: polls that wait are answered at once, and nothing new is asked of the export.
  cleanUp.defer(() => close(http));
  cleanUp.defer(() => ending.abort());
  const { isReadOnly = false, isInsecure = false } = options;
  const shared = { filesets: [fileset], logger, signal: ending.signal, isReadOnly };
  const app = createApp({
    ...shared,
    access,
    limits: options.limits ?? {},
    // With TLS a browser holds the name against the certificate.
    isForThisMachine: isLoopback(host) && tls === undefined && !isInsecure,
  });
  answer = (request, connection) => app.fetch(request, connection);
  const local = createApp(shared);
  cleanUp.use(await serveLocalApi(fileset.stateDirectory, (request) => local.fetch(request)));

  const running = cleanUp.move();
  return {
    url: `${originOf(http, host)}/${encodeURIComponent(filesetName)}`,
    fileset,
    reload: () => followed?.reload(),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** Node looks for connections that are over their time this often: 30 s by default. */
const CHECKS = { connectionsCheckingInterval: 2_000 };

type Answer = (request: Request, connection: unknown) => Response | Promise<Response>;

/** Who is slow, or says nothing, gives way to others. */
function boundConnections(http: Server, limits: Limits): void {
  const { maxConnections, headMs, requestMs, silenceMs } = limits;
  http.maxConnections = maxConnections;
  http.headersTimeout = headMs;
  http.requestTimeout = requestMs;
  http.setTimeout(silenceMs);
}

/** @throws UnusableTlsError */
function createHttpServer(tls: TlsFiles | undefined, fetch: Answer): Server {
  if (tls === undefined) return createAdaptorServer({ fetch, serverOptions: CHECKS }) as Server;
  const isClientAsked = tls.clientCaFile !== undefined;
  const serverOptions = {
    ...readTlsFiles(tls),
    ...CHECKS,
    ...(isClientAsked && { requestCert: true, rejectUnauthorized: true }),
  };
  return createAdaptorServer({ fetch, createServer: createTlsServer, serverOptions }) as TlsServer;
}

function followTls(http: Server, tls: TlsFiles | undefined, logger: Logger): FollowedTls | null {
  if (!(http instanceof TlsServer) || tls === undefined) return null;
  return followTlsFiles(http, tls, (error) =>
    logger.error({ err: error }, "the certificate stays the one before"),
  );
}

async function listen(http: Server, host: string, port: number): Promise<void> {
  try {
    const listening = once(http, "listening");
    http.listen(port, host);
    await listening;
  } catch (cause) {
    throw new CannotListenError(host, port, cause);
  }
}

function originOf(http: Server, host: string): string {
  const { port, family } = http.address() as AddressInfo;
  const scheme = http instanceof TlsServer ? "https" : "http";
  return `${scheme}://${family === "IPv6" ? `[${host}]` : host}:${port}`;
}

async function close(http: Server): Promise<void> {
  if (!http.listening) return;
  const closed = once(http, "close");
  http.close();
  // A connection whose last answer has gone out would stay open for another request.
  const idle = setInterval(() => http.closeIdleConnections(), IDLE_CHECK_MS);
  const grace = setTimeout(() => http.closeAllConnections(), GRACE_MS);
  await closed;
  clearInterval(idle);
  clearTimeout(grace);
}

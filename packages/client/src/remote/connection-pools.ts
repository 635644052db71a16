import { Pool } from "undici";

import type { Credentials } from "./credentials.ts";
import type { ConnectionTimeouts, Lane } from "./http-connection.ts";
import { socketConnector } from "./socket-connector.ts";
import { tlsConnector } from "./tls-connector.ts";

/** How many connections each lane has; null for as many as it needs. */
export type LaneSizes = Readonly<Record<Lane, number | null>>;

export type ConnectionPools = Readonly<Record<Lane, Pool>>;

/**
 * A connection on which nothing comes is probed after this time, then every second (libuv's interval),
 * and is dead when ten probes in a row get no answer (tcp(7), TCP_KEEPIDLE and TCP_KEEPCNT): a network
 * that drops packets tells nobody.
 */
const PROBE_AFTER_MS = 5_000;

/**
 * The protocol is one of HTTP/1.1, and lanes are connections: over the one connection that HTTP/2 makes of a pool, what a
 * program waits for would wait for what is fetched ahead. A proxy may prefer it, so it is not offered.
 */
const HTTP_1_ONLY = { allowH2: false } as const;

/** The connections to one server, by lane; none stands yet. */
export function openPools(
  origin: string,
  lanes: LaneSizes,
  timeouts: ConnectionTimeouts,
  credentials: Credentials,
): ConnectionPools {
  const { stateDirectory } = credentials;
  const connect =
    stateDirectory === undefined
      ? tlsConnector(credentials, {
          ...HTTP_1_ONLY,
          timeout: timeouts.connectMs,
          keepAlive: true,
          keepAliveInitialDelay: PROBE_AFTER_MS,
        })
      : socketConnector(stateDirectory);
  const pool = (lane: Lane): Pool =>
    new Pool(origin, {
      ...HTTP_1_ONLY,
      connections: lanes[lane],
      pipelining: 1,
      connect,
      bodyTimeout: timeouts.stallMs,
    });
  return {
    poll: pool("poll"),
    control: pool("control"),
    bulk: pool("bulk"),
    awaited: pool("awaited"),
    permit: pool("permit"),
  };
}

import { type Logger, pino } from "pino";

import type { Cli } from "./cli.ts";

/** Lines that could not be written are kept up to here, and written when they can be. */
const MOST_KEPT_BYTES = 256 * 1024;

/**
 * The log of a process that serves: on standard error, for people on a terminal, else one JSON object
 * per line. Written at once, so that a crash loses no line.
 *
 * A line that cannot be written ends nothing: the log of a mount is on the disk of its cache, and the one that says that
 * this disk is full would take the mount away.
 */
export async function createLogger(level: string, cli: Pick<Cli, "stderr">): Promise<Logger> {
  const isTerminal = cli.stderr.isTTY === true;
  if (isTerminal) {
    const { PinoPretty } = await import("pino-pretty");
    return pino({ level }, PinoPretty({ destination: 2, sync: true, ignore: "pid,hostname" }));
  }
  const destination = pino.destination({ dest: 2, sync: true, maxLength: MOST_KEPT_BYTES });
  destination.on("error", () => {});
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}

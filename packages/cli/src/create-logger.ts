import { type Logger, pino } from "pino";

import type { Cli } from "./cli.ts";

/**
 * The log of a process that serves: on standard error, for people on a terminal, else one JSON object
 * per line. Written at once, so that a crash loses no line.
 */
export async function createLogger(level: string, cli: Pick<Cli, "stderr">): Promise<Logger> {
  const isTerminal = cli.stderr.isTTY === true;
  if (isTerminal) {
    const { PinoPretty } = await import("pino-pretty");
    return pino({ level }, PinoPretty({ destination: 2, sync: true, ignore: "pid,hostname" }));
  }
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  );
}

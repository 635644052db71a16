/**
 * Tells systemd how far a process is that it started as `Type=notify`, by the protocol of sd_notify(3):
 * lines of `NAME=value` in a datagram to the socket that `NOTIFY_SOCKET` names.
 *
 * A service manager that does not listen is no reason to stop: nothing here throws, and the worst outcome
 * is a unit that systemd takes for not ready.
 */
import { sendDatagram, SysError } from "@izo/sys";

/** The service manager that waits for this process, if there is one. */
export interface ServiceManager extends Disposable {
  /** One line of what is going on, as `systemctl status` shows it; at most one a second is sent. */
  status(text: string): void;
  /** It serves. From then on the watchdog is fed, where the unit asks for one. */
  ready(text: string): void;
  /** It ends in order, which may take a while. */
  stopping(): void;
}

const STATUS_INTERVAL_MS = 1_000;

/** @param env as of this process: `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` count */
export function findServiceManager(
  env: Readonly<Record<string, string | undefined>>,
): ServiceManager {
  const socket = env["NOTIFY_SOCKET"];
  let watchdog: NodeJS.Timeout | undefined;
  let saidAtMs = -Infinity;
  const tell = (...lines: readonly string[]): void => {
    if (socket === undefined || socket === "") return;
    try {
      sendDatagram(socket, Buffer.from(lines.join("\n")));
    } catch (error) {
      if (!(error instanceof SysError)) throw error;
    }
  };
  return {
    status: (text) => {
      const nowMs = performance.now();
      if (nowMs - saidAtMs < STATUS_INTERVAL_MS) return;
      saidAtMs = nowMs;
      tell(statusLine(text));
    },
    ready: (text) => {
      tell("READY=1", `MAINPID=${process.pid}`, statusLine(text));
      const periodMs = watchdogPeriodMs(env);
      if (periodMs === undefined || watchdog !== undefined) return;
      // From a timer of the event loop that serves: when that stands still, so does the watchdog's food.
      watchdog = setInterval(() => tell("WATCHDOG=1"), periodMs / 2).unref();
    },
    stopping: () => tell("STOPPING=1"),
    [Symbol.dispose]: () => clearInterval(watchdog),
  };
}

/** A line break would begin another assignment. */
function statusLine(text: string): string {
  return `STATUS=${text.replaceAll(/\s+/g, " ")}`;
}

/** How often the unit wants to hear of this process; undefined where it does not. */
function watchdogPeriodMs(env: Readonly<Record<string, string | undefined>>): number | undefined {
  const microseconds = Number(env["WATCHDOG_USEC"] ?? Number.NaN);
  const isMeant = [undefined, "", String(process.pid)].includes(env["WATCHDOG_PID"]);
  return isMeant && microseconds > 0 ? microseconds / 1000 : undefined;
}

/**
 * What the exit status of `izo` says. Scripts count on these numbers: they never change their meaning.
 */
export const EXIT = {
  ok: 0,
  /** The operation failed; the line on standard error says why. */
  failed: 1,
  /** The command line or the configuration cannot be understood; nothing was done. */
  usage: 2,
  /** Nobody answers: a server, or the process that serves a mount. */
  unreachable: 3,
  /** Two truths, or a decision that a person must take: somebody else holds it, a diverged log. */
  conflict: 4,
  /** A log or an index is damaged. */
  damaged: 5,
  /** The time that the caller gave is over. */
  timedOut: 6,
  /** Ended by Ctrl-C, as shells count it: 128 + SIGINT. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Codes of errors that say more than "it failed". All others are {@link EXIT.failed}. */
const EXIT_OF_CODE: Readonly<Record<string, ExitCode>> = {
  usage: EXIT.usage,
  "invalid-config": EXIT.usage,
  "invalid-policy": EXIT.usage,
  "invalid-url": EXIT.usage,
  unreachable: EXIT.unreachable,
  "not-mounted": EXIT.unreachable,
  "mount-not-answering": EXIT.unreachable,
  "server-not-answering": EXIT.unreachable,
  ECONNREFUSED: EXIT.unreachable,
  EHOSTUNREACH: EXIT.unreachable,
  ENETUNREACH: EXIT.unreachable,
  ENOTFOUND: EXIT.unreachable,
  "peer-diverged": EXIT.conflict,
  "log-diverged": EXIT.conflict,
  "permit-held": EXIT.conflict,
  "already-served": EXIT.conflict,
  "cache-in-use": EXIT.conflict,
  "cursor-in-use": EXIT.conflict,
  "mount-point-in-use": EXIT.conflict,
  "cannot-resolve": EXIT.conflict,
  "removal-held": EXIT.conflict,
  "would-overwrite": EXIT.conflict,
  "foreign-cache": EXIT.conflict,
  "foreign-server": EXIT.conflict,
  "cache-marks-lost": EXIT.damaged,
  "kml-damaged": EXIT.damaged,
  "anchor-damaged": EXIT.damaged,
  "anchor-missing": EXIT.damaged,
  "kml-version": EXIT.damaged,
  "timed-out": EXIT.timedOut,
  interrupted: EXIT.interrupted,
};

/** The exit status for an error that ended a command. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof Error) || !("code" in error)) return EXIT.failed;
  return EXIT_OF_CODE[String(error.code)] ?? EXIT.failed;
}

/** How good it is: nothing to do, something to know, or something that will not work. */
export type Verdict = "ok" | "warning" | "failure";

/** What the doctor has found out about one thing. */
export interface Finding {
  /** Stable: scripts may look for it. */
  readonly check: string;
  readonly verdict: Verdict;
  readonly found: string;
  /** What a person can do; null where there is nothing to do. */
  readonly advice: string | null;
}

export function ok(check: string, found: string): Finding {
  return { check, verdict: "ok", found, advice: null };
}

export function warning(check: string, found: string, advice: string): Finding {
  return { check, verdict: "warning", found, advice };
}

export function failure(check: string, found: string, advice: string): Finding {
  return { check, verdict: "failure", found, advice };
}

/** The worst of them. */
export function verdictOf(findings: readonly Finding[]): Verdict {
  for (const verdict of ["failure", "warning"] as const) {
    if (findings.some((finding) => finding.verdict === verdict)) return verdict;
  }
  return "ok";
}

import { attributeCases } from "./cases/attribute-cases.ts";
import { dataCases } from "./cases/data-cases.ts";
import { nameCases } from "./cases/name-cases.ts";
import { rightCases } from "./cases/right-cases.ts";
import { sharingCases } from "./cases/sharing-cases.ts";
import { timeCases } from "./cases/time-cases.ts";
import type { ConformanceCase } from "./conformance-case.ts";

/** Tables of every call with every kind of thing, and with all rights of a directory. */
const TABLES = /^(kinds|rights in a directory): |^rename: a .* and a /;

/** Without the large tables, in which drivers over the same file system can hardly differ. */
export function casesBesideTables(): ConformanceCase[] {
  return allCases().filter(({ name }) => !TABLES.test(name));
}

/** Those of {@link casesBesideTables} that one user can go through: nobody becomes somebody else. */
export function casesOfOneUser(): ConformanceCase[] {
  return casesBesideTables().filter(({ steps }) =>
    steps.every(({ call }) => !call.startsWith("as ")),
  );
}

/** Every named case. */
export function allCases(): ConformanceCase[] {
  return [
    ...nameCases(),
    ...rightCases(),
    ...timeCases(),
    ...dataCases(),
    ...attributeCases(),
    ...sharingCases(),
  ];
}

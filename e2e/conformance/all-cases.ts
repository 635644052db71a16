import { attributeCases } from "./cases/attribute-cases.ts";
import { dataCases } from "./cases/data-cases.ts";
import { nameCases } from "./cases/name-cases.ts";
import { rightCases } from "./cases/right-cases.ts";
import { sharingCases } from "./cases/sharing-cases.ts";
import { timeCases } from "./cases/time-cases.ts";
import type { ConformanceCase } from "./conformance-case.ts";

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

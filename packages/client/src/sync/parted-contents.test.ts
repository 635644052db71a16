import fc from "fast-check";
import { expect, test } from "vitest";

import { Story, type Step, STORY_NAMES } from "../testing/parted-story.ts";

/** Some 4 s; IZO_PARTED_STORIES=5000 is the size for a night. */
const STORIES = Number(process.env["IZO_PARTED_STORIES"] ?? 60);
const TIME_LIMIT_MS = 60_000 + STORIES * 500;
/** The same stories in each run of the suite; more of them are new ones each time. */
const SEED = process.env["IZO_PARTED_STORIES"] === undefined ? { seed: 1 } : {};
const HANDLES = 3;

const name = fc.constantFrom(...STORY_NAMES);
const handle = fc.nat(HANDLES - 1);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("save"), name }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("open"), name, handle, truncates: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("write"), handle }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("flush"), handle }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("close"), handle }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("save over"), name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("remove"), name }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("seal") }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("push") }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("pull"), count: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("other writes"), name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("other removes"), name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("restart", "crash") }) },
) as fc.Arbitrary<Step>;

test(
  "what a program closed is in the log, and in the copy that the log says, wherever a conflict parts them [C3] [D9]",
  async () => {
    const stories = fc.asyncProperty(
      fc.array(step, { maxLength: 40 }),
      fc.boolean(),
      (steps, isReplica) => Story.tell(steps, isReplica),
    );
    await expect(fc.assert(stories, { ...SEED, numRuns: STORIES })).resolves.toBeUndefined();
  },
  TIME_LIMIT_MS,
);

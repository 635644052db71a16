import fc from "fast-check";
import { expect, test } from "vitest";

import { OTHER_NAME, Story, type Step, STORY_NAMES } from "../testing/parted-story.ts";

/** Some 4 s; IZO_PARTED_STORIES=5000 is the size for a night. */
const STORIES = Number(process.env["IZO_PARTED_STORIES"] ?? 60);
const TIME_LIMIT_MS = 60_000 + STORIES * 500;
/** The same stories in each run of the suite; more of them are new ones each time. */
const SEED = process.env["IZO_PARTED_STORIES"] === undefined ? { seed: 1 } : {};
const HANDLES = 3;

const name = fc.constantFrom(...STORY_NAMES, OTHER_NAME);
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
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom("save over", "save with backup"), name }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("move"), name, to: name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("remove"), name }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("seal") }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("push") }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("pull"), count: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom("other writes", "other creates"), name }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("other saves over", "other saves with backup"),
      name,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("other moves"), name, to: name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("other removes"), name }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom("change mode", "other changes mode"), name }),
  },
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

const told: readonly (readonly [what: string, steps: readonly Step[]])[] = [
  [
    "saves in a row over what others removed",
    [
      { do: "save over", name: "a" },
      { do: "save", name: "c" },
      { do: "other removes", name: "a" },
      { do: "move", name: "c", to: "a" },
      { do: "save over", name: "a" },
      { do: "pull", count: 1 },
    ],
  ],
  [
    "an edit that is under way when its file, moved here, turns out to be removed",
    [
      { do: "move", name: "b", to: "a" },
      { do: "other writes", name: "a" },
      { do: "open", name: "a", handle: 0, truncates: true },
      { do: "other removes", name: "b" },
      { do: "push" },
      { do: "pull", count: 1 },
      { do: "pull", count: 2 },
    ],
  ],
  [
    "a removal of one of two contents that have come under one id since they were written",
    [
      { do: "other removes", name: "b" },
      { do: "other creates", name: "c" },
      { do: "pull", count: 2 },
      { do: "move", name: "c", to: "b" },
      { do: "save", name: "c" },
      { do: "save", name: "b" },
      // The move finds a newer name and is refused, the new file finds an empty one and merges with it.
      { do: "other moves", name: "c", to: "b" },
      { do: "other moves", name: "b", to: "c" },
      { do: "push" },
      { do: "pull", count: 10 },
      { do: "remove", name: "c" },
    ],
  ],
];

test.each(told)("the client shows what the log says after %s [C3] [C5]", async (_, steps) => {
  await expect(Story.tell(steps, false)).resolves.toBeUndefined();
});

import { CallerProcess } from "./caller-process.ts";

/** Where one side of a comparison takes place. */
export interface Side {
  /** Made for this history. */
  readonly directory: string;
  /** A process that looks at it, as root. */
  readonly observer: CallerProcess;
}

/**
 * Makes the same calls on two sides, one after the other, and compares answers and state after each;
 * the first difference, for people, or undefined.
 */
export async function runInLockstep(
  program: readonly string[],
  plain: Side,
  mounted: Side,
  calls: readonly string[],
): Promise<string | undefined> {
  using plainCaller = await begin(program, plain);
  using mountedCaller = await begin(program, mounted);
  for (const [index, line] of calls.entries()) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const expected = await step(plainCaller, plain, line);
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const found = await step(mountedCaller, mounted, line);
    if (expected !== found) {
      return `call ${index + 1}, ${line}\nexpected ${expected}\nfound    ${found}`;
    }
  }
  const [expected, found] = await Promise.all(
    [plain, mounted].map(({ observer }) => observer.call("tree all")),
  );
  return expected === found ? undefined : `the end\nexpected ${expected}\nfound    ${found}`;
}

async function begin(
  program: readonly string[],
  { directory, observer }: Side,
): Promise<CallerProcess> {
  await observer.call(`mkdir ${directory} 0777`);
  await observer.call(`chdir ${directory}`);
  await observer.call("forget");
  const caller = new CallerProcess(program);
  await caller.call(`chdir ${directory}`);
  return caller;
}

async function step(caller: CallerProcess, { observer }: Side, line: string): Promise<string> {
  return `${await caller.call(line)}${await observer.call("tree changed")}`;
}

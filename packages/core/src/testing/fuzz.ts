import * as fc from "fast-check";

/**
 * How long fuzzers run: `IZO_FUZZ_RUNS` inputs each, some hundred by default so that the suite stays quick,
 * and `IZO_FUZZ_SEED` for the same ones again.
 */
export function fuzzSize(defaultRuns = 300): { readonly numRuns: number; readonly seed: number } {
  return {
    numRuns: Number(process.env["IZO_FUZZ_RUNS"] ?? defaultRuns),
    seed: Number(process.env["IZO_FUZZ_SEED"] ?? 20_261_126),
  };
}

/** Bytes that a hostile side might send: valid messages, damaged in ways that parsers get wrong. */
export function hostileBytes(valid: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const base = valid.length > 0 ? fc.constantFrom(...valid) : fc.constant(new Uint8Array());
  const damaged = fc
    .tuple(base, fc.array(damage, { minLength: 1, maxLength: 4 }))
    .map(([bytes, damages]) => damages.reduce((left, each) => each(left), bytes));
  return fc.oneof(
    { weight: 6, arbitrary: damaged },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
  );
}

/** Texts that a hostile side might send. */
export function hostileText(valid: readonly string[]): fc.Arbitrary<string> {
  const base = valid.length > 0 ? fc.constantFrom(...valid) : fc.constant("");
  const damaged = fc
    .tuple(base, fc.array(textDamage, { minLength: 1, maxLength: 4 }))
    .map(([text, damages]) => damages.reduce((left, each) => each(left), text));
  return fc.oneof(
    { weight: 6, arbitrary: damaged },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 60 }) },
  );
}

/** JSON that a hostile side might send: valid messages in which values are others, or missing. */
export function hostileJson(valid: readonly string[]): fc.Arbitrary<string> {
  const base = valid.length > 0 ? fc.constantFrom(...valid) : fc.constant("{}");
  const replaced = fc
    .tuple(base, fc.array(fc.tuple(fc.nat(), oddValue), { minLength: 1, maxLength: 3 }))
    .map(([text, changes]) =>
      changes.reduce((left, [at, value]) => replaceValue(left, at, value), text),
    );
  return fc.oneof({ weight: 4, arbitrary: replaced }, { weight: 1, arbitrary: hostileText(valid) });
}

type Damage<T> = (value: T) => T;

const ODD_NUMBERS = [0, 1, 0x7f, 0x80, 0xff];

const damage: fc.Arbitrary<Damage<Uint8Array>> = fc.oneof(
  fc.tuple(fc.nat(), fc.nat(255)).map(
    ([at, byte]): Damage<Uint8Array> =>
      (bytes) =>
        bytes.map((found, index) => (index === at % (bytes.length || 1) ? byte : found)),
  ),
  // Lengths and counts are whole numbers of four or eight bytes.
  fc.tuple(fc.nat(), fc.constantFrom(...ODD_NUMBERS), fc.constantFrom(4, 8)).map(
    ([at, byte, width]): Damage<Uint8Array> =>
      (bytes) =>
        Uint8Array.from(bytes).fill(
          byte,
          at % (bytes.length + 1),
          (at % (bytes.length + 1)) + width,
        ),
  ),
  fc.nat().map(
    (at): Damage<Uint8Array> =>
      (bytes) =>
        bytes.subarray(0, at % (bytes.length + 1)),
  ),
  fc.nat().map(
    (at): Damage<Uint8Array> =>
      (bytes) =>
        bytes.subarray(at % (bytes.length + 1)),
  ),
  fc
    .tuple(fc.nat(), fc.uint8Array({ maxLength: 12 }))
    .map(([at, more]): Damage<Uint8Array> => (bytes) => {
      const place = at % (bytes.length + 1);
      return Uint8Array.from([...bytes.subarray(0, place), ...more, ...bytes.subarray(place)]);
    }),
  fc.constant<Damage<Uint8Array>>((bytes) => Uint8Array.from([...bytes, ...bytes])),
);

const ODD_TEXTS = [
  "",
  "\0",
  "/",
  "..",
  "../",
  "%",
  "%2",
  "%00",
  "%2e%2e%2f",
  "\ud800",
  "\n",
  "-1",
  "9".repeat(30),
  "Ā",
  " ",
  '"',
];

const textDamage: fc.Arbitrary<Damage<string>> = fc
  .tuple(fc.nat(), fc.constantFrom(...ODD_TEXTS), fc.nat(8))
  .map(([at, odd, cut]): Damage<string> => (text) => {
    const place = at % (text.length + 1);
    return text.slice(0, place) + odd + text.slice(place + cut);
  });

const oddValue: fc.Arbitrary<unknown> = fc.constantFrom<unknown>(
  null,
  true,
  -1,
  0,
  0.5,
  1e308,
  2 ** 53,
  "",
  "x",
  "..",
  "/../x",
  "\0",
  "\ud800",
  "9".repeat(400),
  [],
  [[]],
  {},
  { __proto__: null },
  undefined,
);

/** Replaces the value at some place, counted over all that a JSON text holds; drops it for undefined. */
function replaceValue(text: string, at: number, value: unknown): string {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    return text;
  }
  const places: (readonly [holder: Record<string, unknown>, key: string])[] = [];
  const walk = (holder: unknown): void => {
    if (typeof holder !== "object" || holder === null) return;
    for (const key of Object.keys(holder)) {
      places.push([holder as Record<string, unknown>, key]);
      walk((holder as Record<string, unknown>)[key]);
    }
  };
  walk(root);
  const place = places[at % (places.length || 1)];
  if (place === undefined) return JSON.stringify(value) ?? "";
  place[0][place[1]] = value;
  return JSON.stringify(root);
}

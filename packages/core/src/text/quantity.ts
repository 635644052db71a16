const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] as const;

/** A number of bytes for people: "17 B", "1.5 MiB". */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** A count for people, in groups of three: "20,000". */
export function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

const AGES = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** An age for people, in its largest unit, rounded down: "0 s", "12 min", "3 d". */
export function formatAge(ms: number): string {
  const [unit, unitMs] = AGES.find(([, length]) => ms >= length) ?? AGES.at(-1)!;
  return `${Math.floor(ms / unitMs)} ${unit}`;
}

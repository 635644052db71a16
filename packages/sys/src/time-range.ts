/**
 * The times that there are here: nanoseconds since 1970 in 64 bits, from 1677 to 2262. Some file systems keep
 * others (ext4 until 2446, Btrfs any), and files with such times exist: broken clocks and archives make them.
 */
const MOST_NS = 2n ** 63n - 1n;
const LEAST_NS = -(2n ** 63n);

/** Whole seconds that are within the range with any nanoseconds. */
const SURE_SECONDS = Number(MOST_NS / 1_000_000_000n) - 1;

/** The nearest time that there is, as file systems do with what they cannot keep. */
export function nearestTimeNs(ns: bigint): bigint {
  if (ns > MOST_NS) return MOST_NS;
  return ns < LEAST_NS ? LEAST_NS : ns;
}

/** {@link nearestTimeNs} of seconds and nanoseconds, as the kernel gives them. */
export function timeNsOf(seconds: number, nanoseconds: number): bigint {
  const ns = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
  return Math.abs(seconds) < SURE_SECONDS ? ns : nearestTimeNs(ns);
}

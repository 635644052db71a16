/**
 * The wall clock in nanoseconds: the system's, which Node gives in milliseconds, carried on by the
 * monotonic one in between, so that two changes in a row do not get the same time.
 */
export function wallClock(): () => bigint {
  let startNs = BigInt(Date.now()) * 1_000_000n;
  let tickNs = process.hrtime.bigint();
  return () => {
    const systemNs = BigInt(Date.now()) * 1_000_000n;
    const carriedNs = startNs + process.hrtime.bigint() - tickNs;
    const differenceNs = carriedNs - systemNs;
    // Somebody set the clock, or the machine slept: begin anew at the system's time.
    if (differenceNs >= -1_000_000n && differenceNs <= 2_000_000n) return carriedNs;
    startNs = systemNs;
    tickNs = process.hrtime.bigint();
    return systemNs;
  };
}

// Device numbers as user space sees them, makedev(3): bits 0-7 and 20-31 are the minor, 8-19 the major. The kernel itself
// has 12 bits of major and 20 of minor (MINORBITS in linux/kdev_t.h), so every number fits 32 bits.

/**
 * The device number of a major and a minor.
 *
 * @throws {RangeError} beyond the 12 and 20 bits that the kernel keeps.
 */
export function makeDevice(major: number, minor: number): number {
  if (!isWithin(major, 0xfff) || !isWithin(minor, 0xfffff)) {
    throw new RangeError(`Cannot make a device number: ${major}:${minor} is out of range`);
  }
  return ((minor & 0xff) | (major << 8) | ((minor & 0xfff00) << 12)) >>> 0;
}

/** The major part of a device number: which driver. */
export function majorOf(device: number): number {
  return (device >>> 8) & 0xfff;
}

/** The minor part of a device number: which of the driver's devices. */
export function minorOf(device: number): number {
  return (device & 0xff) | ((device >>> 12) & 0xfff00);
}

function isWithin(value: number, most: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= most;
}

/** The ways in which a `FileSystem` can be mounted; `docs/decisions/0012` says what each costs. */
export const DRIVERS = ["kernel", "fuse-native"] as const;

export type DriverName = (typeof DRIVERS)[number];

/** What a user may ask for: one of them, or the best that this machine permits. */
export const DRIVER_CHOICES = ["auto", ...DRIVERS] as const;

export type DriverChoice = (typeof DRIVER_CHOICES)[number];

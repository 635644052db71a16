/** The ways in which a `FileSystem` can be mounted; `docs/decisions/0012` says what each costs. */
export const DRIVERS = ["fuse-native", "kernel"] as const;

export type DriverName = (typeof DRIVERS)[number];

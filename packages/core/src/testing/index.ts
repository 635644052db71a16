export * from "./arbitrary-record.ts";
export { type DiskCall, DiskFault, MemoryDisk, type MemoryDiskOptions } from "./memory-disk.ts";
export { Random } from "./simulation/random.ts";
export { createTestAuthority, type TestAuthority, type TestCertificate } from "./certificates.ts";
export { fuzzSize, hostileBytes, hostileJson, hostileText } from "./fuzz.ts";
export { baseAt, hostileOperation, type HostileKnowledge } from "./hostile-operations.ts";

import { ProblemError } from "./problem.ts";
import { PROTOCOL_VERSION } from "./protocol.ts";

/**
 * Checks the version that the other side states. Without one it is no program of ours, but `curl` or a
 * browser, which may read.
 *
 * @throws ProblemError `protocol-version`, which names both
 */
export function checkProtocolVersion(other: "client" | "server", stated: string | null): void {
  if (stated === null || stated === String(PROTOCOL_VERSION)) return;
  const own = other === "client" ? "server" : "client";
  throw new ProblemError(
    "protocol-version",
    `Cannot talk: the ${other} speaks version ${stated.slice(0, 20)} of the protocol, this ${own} version ${PROTOCOL_VERSION}`,
    { [other]: stated.slice(0, 20), [own]: String(PROTOCOL_VERSION) },
  );
}

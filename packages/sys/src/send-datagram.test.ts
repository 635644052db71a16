import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { expect, test } from "vitest";

import { sendDatagram } from "./send-datagram.ts";
import { errorOf } from "./testing/error-of.ts";
import { temporaryDirectory } from "./testing/temporary-directory.ts";

/** Perl is part of every Debian; Node itself cannot receive such a datagram. */
const RECEIVER = `
  use Socket;
  my $path = $ARGV[0];
  $path =~ s/^@/\\0/;
  socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die;
  bind($socket, pack_sockaddr_un($path)) or die;
  $| = 1;
  print "bound\\n";
  recv($socket, my $message, 65536, 0);
  print "$message\\n";
`;

async function received(path: string, message: string): Promise<string> {
  const child = spawn("perl", ["-e", RECEIVER, path], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe("bound");
    sendDatagram(path, Buffer.from(message));
    return String((await lines.next()).value);
  } finally {
    child.kill();
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }
}

test("sendDatagram() reaches a socket by its path, and one of the abstract namespace by its name", async () => {
  using directory = temporaryDirectory();
  expect(await received(directory.join("socket"), "READY=1")).toBe("READY=1");
  expect(await received(`@izo-test-${process.pid}`, "STOPPING=1")).toBe("STOPPING=1");
});

test("sendDatagram() throws where nobody listens, and for a path that no socket can have", () => {
  using directory = temporaryDirectory();
  const message = Buffer.from("READY=1");
  expect(errorOf(() => sendDatagram(directory.join("none"), message)).code).toBe("ENOENT");
  expect(errorOf(() => sendDatagram(`/${"x".repeat(200)}`, message)).code).toBe("ENAMETOOLONG");
});

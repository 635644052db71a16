import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "vitest";

import { izoCommand } from "../hosts/cli.ts";
import { openHostShell } from "../hosts/host-shell.ts";
import { createNetwork } from "../hosts/network.ts";
import { requireHosts } from "../hosts/requirements.ts";
import { makeWorkDirectory } from "../hosts/work-directory.ts";

/** A block of the page: what somebody types on a host, and what is said to be printed. */
interface Step {
  readonly host: "nas" | "laptop";
  readonly staysOpen: boolean;
  readonly script: string;
  readonly expected: readonly string[];
}

/** The blocks that say on which host they are typed, each with the block of text behind it. */
function readSteps(): Step[] {
  const page = readFileSync(join(import.meta.dirname, "../../docs/tutorial.md"), "utf8");
  const blocks = page.matchAll(/```sh (nas|laptop)( stays)?\n(.*?)```(?:\n\n```text\n(.*?)```)?/gs);
  return Array.from(blocks, ([, host, stays, script = "", expected = ""]) => ({
    host: host as Step["host"],
    staysOpen: stays !== undefined,
    script,
    expected: expected.split("\n").filter((line) => line !== ""),
  }));
}

/** A line of the page as a pattern: `…` stands for what differs from run to run. */
function patternOf(line: string): RegExp {
  const parts = line.split("…").map((part) => part.trim().replaceAll(/[^\w\s]/g, "\\$&"));
  return new RegExp(parts.join(".*"), "m");
}

test("the tutorial does what it says, on two hosts", async () => {
  await requireHosts();
  const steps = readSteps();
  expect(steps.length).toBeGreaterThan(10);
  using work = makeWorkDirectory();
  installIzo(work.path);
  await using network = await createNetwork(["nas", "laptop"]);
  await using shells = new AsyncDisposableStack();
  const nas = network.hosts.get("nas")!;
  const open = async (name: Step["host"]) =>
    shells.use(
      await openHostShell({
        host: network.hosts.get(name)!,
        root: join(work.path, name),
        directories: ["/srv", "/mnt", "/etc/izo", "/root", "/run/izo"],
        files: { "/etc/hosts": `127.0.0.1 localhost\n${nas.address} nas\n` },
        prelude: prelude(work.path),
      }),
    );
  const hosts = { nas: await open("nas"), laptop: await open("laptop") };
  for (const { host, staysOpen, script, expected } of steps) {
    const shell = hosts[host];
    // oxlint-disable-next-line no-await-in-loop -- each step stands on the one before
    const output = staysOpen ? await shell.start(script.trim()) : await shell.run(script);
    for (const line of expected) {
      expect(output, `${script} prints "${line}"`).toMatch(patternOf(line));
    }
  }
});

/** `izo` as if it were installed; what scp would fetch from nas is at hand. */
function prelude(work: string): string {
  return `
    export HOME=/root PATH=${work}/bin:$PATH
    scp() { cp "\${@/#nas:/${work}/nas}"; }`;
}

function installIzo(work: string): void {
  const words = izoCommand().map((word) => `'${word}'`);
  mkdirSync(join(work, "bin"));
  const program = join(work, "bin/izo");
  writeFileSync(program, `#!/bin/sh\nexec ${words.join(" ")} "$@"\n`, { mode: 0o755 });
}

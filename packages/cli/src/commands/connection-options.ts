import { resolve } from "node:path";

import {
  type Command,
  type CommandUnknownOpts,
  Option,
  type OptionValues,
} from "@commander-js/extra-typings";
import { type Credentials, HttpRemote, readSettings } from "@izo/client";

import type { Cli } from "../cli.ts";
import type { MountNote } from "../mounts/mount-registry.ts";

/**
 * Gives a command that asks a server the options for it. Files only: a token on the command line would be
 * in every list of processes.
 */
export function withConnectionOptions<
  Args extends unknown[],
  Opts extends OptionValues,
  Globals extends OptionValues,
>(command: Command<Args, Opts, Globals>): Command<Args, Opts & ConnectionOptions, Globals> {
  // The types of five options on any command are more than the compiler writes down: it is told them.
  (command as CommandUnknownOpts)
    .addOption(
      new Option("--token-file <file>", "holds the token; else IZO_TOKEN is the token").env(
        "IZO_TOKEN_FILE",
      ),
    )
    .addOption(
      new Option("--ca <file>", "who may have signed the server's certificate (PEM)").env("IZO_CA"),
    )
    .addOption(
      new Option("--client-cert <file>", "the client's own certificate (PEM)").env(
        "IZO_CLIENT_CERT",
      ),
    )
    .addOption(
      new Option("--client-key <file>", "the key of that certificate (PEM)").env("IZO_CLIENT_KEY"),
    )
    .option("--insecure", "send the token over http:// all the same");
  return command;
}

/** What these options are, once read. */
export interface ConnectionOptions {
  readonly tokenFile?: string | undefined;
  readonly ca?: string | undefined;
  readonly clientCert?: string | undefined;
  readonly clientKey?: string | undefined;
  readonly insecure?: true | undefined;
}

/** The files that the options name, as absolute paths: a mount works in another directory. */
export function credentialsOf(options: ConnectionOptions, cli: Cli): Credentials {
  const { tokenFile, ca, clientCert, clientKey, insecure } = options;
  const at = (path: string): string => resolve(cli.cwd, path);
  return {
    ...(tokenFile !== undefined && { tokenFile: at(tokenFile) }),
    ...(ca !== undefined && { caFile: at(ca) }),
    ...(clientCert !== undefined && { certFile: at(clientCert) }),
    ...(clientKey !== undefined && { keyFile: at(clientKey) }),
    ...(insecure === true && { isInsecure: true }),
  };
}

/** A server, asked with what the command line and the environment say. */
export function openRemote(url: string, options: ConnectionOptions, cli: Cli): HttpRemote {
  return new HttpRemote(url, { credentials: { ...tokenOf(cli), ...credentialsOf(options, cli) } });
}

/** The token of the environment, where there is one. */
export function tokenOf({ env }: Pick<Cli, "env">): { readonly token?: string } {
  const token = env["IZO_TOKEN"];
  return token === undefined || token === "" ? {} : { token };
}

/** The server of a mount of this machine, asked with the files that the mount uses. */
export function openRemoteOf({ url, cacheDir }: MountNote): HttpRemote {
  const { credentials } = readSettings(cacheDir);
  return new HttpRemote(url, { credentials: { ...tokenOf(process), ...credentials } });
}

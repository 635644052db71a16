import type { Export } from "../export/export.ts";
import { accessFilesIn } from "../export/state-directory.ts";
import type { AccessControl } from "./access-control.ts";
import { PeerHolders } from "./peer-holders.ts";
import { Sessions } from "./session.ts";
import { TokenBook } from "./token-book.ts";

/**
 * Who may ask for what of an export: by the tokens that `izo token` keeps in its state directory.
 *
 * @param onError told of a file of tokens that cannot be read: then nobody gets in
 * @throws InvalidTokenFileError, rather than let anybody in
 */
export function openAccess(
  fileset: Pick<Export, "filesetName" | "stateDirectory">,
  onError: (error: unknown) => void,
): AccessControl & Disposable {
  const { tokens: path, tokenPeers } = accessFilesIn(fileset.stateDirectory);
  const holders = new PeerHolders(tokenPeers);
  const tokens = new TokenBook({ path, nowMs: Date.now, onError });
  return {
    filesetName: fileset.filesetName,
    tokens,
    holders,
    sessions: new Sessions(),
    [Symbol.dispose]: () => tokens[Symbol.dispose](),
  };
}

import {
  IzoError,
  type Oid,
  type PeerId,
  type PermitFence,
  type PermitStatus,
  type Position,
  type Recno,
  type Sha256,
} from "@izo/core";

/** The records asked for were cut off the log: start from a snapshot. */
export class LogTruncatedError extends IzoError {
  constructor(after: Recno, oldest: Recno) {
    super(
      "log-truncated",
      `Cannot read the log after record ${after}: the oldest record it holds is ${oldest}`,
      { after, oldest },
    );
  }
}

/** The position is of another log, or of one that this server has lost: start from a snapshot. */
export class LogDivergedError extends IzoError {
  constructor(after: Position, head: Position) {
    super(
      "log-diverged",
      `Cannot read the log after record ${after.recno}: its hash is not the one given (head ${head.recno})`,
      { after: after.recno, head: head.recno },
    );
  }
}

/** A record that the log does not hold yet. */
export class RecordUnknownError extends IzoError {
  constructor(recno: Recno, head: Recno) {
    super(
      "unknown-record",
      `Cannot show the tree behind record ${recno}: the log ends at record ${head}`,
      { recno, head },
    );
  }
}

/** No peer with this id has ever been here. */
export class UnknownPeerError extends IzoError {
  constructor(peer: PeerId) {
    super("unknown-peer", `Cannot forget the peer ${peer}: the server does not know of it`, {
      peer,
    });
  }
}

/** Records need contents that are not here: upload them and push again. */
export class ContentMissingError extends IzoError {
  constructor(missing: readonly Sha256[]) {
    super(
      "content-missing",
      `Cannot apply the records: ${missing.length} of their contents were not uploaded`,
      { missing },
    );
  }
}

/** The disk that holds the export is full; nothing is torn, and it goes on when there is space. */
export class NoSpaceError extends IzoError {
  constructor(doing: string, cause: unknown) {
    super("no-space", `Cannot ${doing}: no space left on the server`, {}, { cause });
  }
}

/** The bytes that came are not those that the hash names. */
export class WrongHashError extends IzoError {
  constructor(expected: Sha256, found: Sha256) {
    super("wrong-hash", `Cannot take the content ${expected}: its bytes have the hash ${found}`, {
      expected,
      found,
    });
  }
}

/** An upload does not go on where the one before ended. */
export class UploadOffsetError extends IzoError {
  constructor(sha256: Sha256, offsetBytes: number, expectedBytes: number) {
    super(
      "upload-offset",
      `Cannot go on with the upload of ${sha256} at ${offsetBytes}: ${expectedBytes} bytes are here`,
      { sha256, offsetBytes, expectedBytes },
    );
  }
}

/** A file was changed while its content was being sent; the receiver must drop what it got. */
export class ContentChangedError extends IzoError {
  constructor(sha256: Sha256) {
    super("content-changed", `Cannot go on sending ${sha256}: the file changed meanwhile`, {
      sha256,
    });
  }
}

/** Nobody has confirmed that a push may remove nearly everything (design §7); nothing of it was taken. */
export class MassRemovalError extends IzoError {
  constructor(removed: number, names: number) {
    super(
      "mass-removal",
      `Cannot take the push: it removes ${removed} of ${names} names, and nobody has confirmed that`,
      { removed, names },
    );
  }
}

/** Somebody else may write there until he hands the permit back, or his lease is over. */
export class PermitHeldError extends IzoError {
  constructor({ path, peer, host, leaseMs }: PermitStatus) {
    super(
      "permit-held",
      `Cannot grant the permit: ${host} holds that of ${JSON.stringify(path)} for ${Math.ceil(leaseMs / 1000)} s more`,
      { path, peer, host, leaseMs },
    );
  }
}

/** Somebody else was given the permit since, or it was handed back: what is done under it stands alone. */
export class PermitPassedOnError extends IzoError {
  constructor({ oid, epoch }: PermitFence) {
    super(
      "permit-passed-on",
      `Cannot go on under permit ${epoch} of directory ${oid}: it is not the last one`,
      { oid, epoch },
    );
  }
}

/** A permit is of a directory that the log knows. */
export class UnknownDirectoryError extends IzoError {
  constructor(oid: Oid) {
    super("unknown-directory", `Cannot grant a permit of ${oid}: the log has no such directory`, {
      oid,
    });
  }
}

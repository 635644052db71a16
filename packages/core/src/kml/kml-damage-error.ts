import { IzoError } from "../errors.ts";

/** Where the bytes came from: a segment's file name, or what was read instead of one. */
export interface DamageLocation {
  readonly segment: string;
  readonly offset: number;
}

/** Bytes that should be a part of a log and are not. Never skipped: what follows cannot be trusted. */
export class KmlDamageError extends IzoError {
  constructor(location: DamageLocation, reason: string, options?: ErrorOptions) {
    super(
      "kml-damaged",
      `Cannot read ${location.segment} at offset ${location.offset}: ${reason}`,
      { segment: location.segment, offset: location.offset, reason },
      options,
    );
  }
}

/** Intact bytes of a format that this program does not know, most likely those of a newer one. */
export class KmlVersionError extends IzoError {
  constructor(location: DamageLocation, found: number, known: number) {
    super(
      "kml-version",
      `Cannot read ${location.segment} at offset ${location.offset}: format version ${found}, this program knows ${known}`,
      { segment: location.segment, offset: location.offset, found, known },
    );
  }
}

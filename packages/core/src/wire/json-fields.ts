import {
  type FilesetId,
  isId,
  isRecno,
  isSha256,
  type PeerId,
  type Recno,
  type Sha256,
} from "../kml/identity.ts";
import { parsePosition, type Position } from "../kml/position.ts";
import { WireFormatError } from "./wire-format-error.ts";

/**
 * The fields of a JSON object, each checked as it is taken: a server may be hostile (design promise 6).
 * Fields that nobody takes are ignored, so that a newer server may say more.
 */
export class JsonFields {
  readonly #what: string;
  readonly #fields: Readonly<Record<string, unknown>>;

  /** @throws WireFormatError when the value is no object; `what` names the message in errors */
  constructor(what: string, value: unknown) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new WireFormatError(what, "it is no JSON object");
    }
    this.#what = what;
    this.#fields = { ...value };
  }

  /** Parses the text of a JSON object. */
  static parse(what: string, text: string): JsonFields {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (error) {
      throw new WireFormatError(what, "it is no JSON", { cause: error });
    }
    return new JsonFields(what, value);
  }

  text(key: string): string {
    const value = this.#fields[key];
    if (typeof value !== "string") throw this.#wrong(key, "a text");
    return value;
  }

  boolean(key: string): boolean {
    const value = this.#fields[key];
    if (typeof value !== "boolean") throw this.#wrong(key, "true or false");
    return value;
  }

  /** A whole number from 0 to 2^53 - 1. */
  whole(key: string): number {
    const value = this.#fields[key];
    if (typeof value !== "number" || !isRecno(value)) throw this.#wrong(key, "a whole number");
    return value;
  }

  recno(key: string): Recno {
    return this.whole(key) as Recno;
  }

  /** true or false. */
  flag(key: string): boolean {
    const value = this.#fields[key];
    if (typeof value !== "boolean") throw this.#wrong(key, "true or false");
    return value;
  }

  /** 32 hexadecimal digits: an oid, a peer or a fileset. */
  id(key: string): FilesetId & PeerId {
    const value = this.text(key);
    if (!isId(value)) throw this.#wrong(key, "an id of 32 hexadecimal digits");
    return value;
  }

  sha256(key: string): Sha256 {
    const value = this.text(key);
    if (!isSha256(value)) throw this.#wrong(key, "64 hexadecimal digits");
    return value;
  }

  position(key: string): Position {
    try {
      return parsePosition(this.text(key));
    } catch (error) {
      throw this.#wrong(key, "a position", { cause: error });
    }
  }

  /** One of some texts. */
  oneOf<T extends string>(key: string, allowed: readonly T[]): T {
    const value = this.text(key);
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) throw this.#wrong(key, `one of ${allowed.join(", ")}`);
    return found;
  }

  /** What `take` makes of the value, or null where the field is null. */
  nullable<T>(key: string, take: () => T): T | null {
    return this.#fields[key] === null ? null : take();
  }

  fields(key: string): JsonFields {
    return new JsonFields(`${this.#what}, field "${key}"`, this.#fields[key]);
  }

  texts(key: string): string[] {
    return this.#array(key).map((value) => {
      if (typeof value !== "string") throw this.#wrong(key, "a list of texts");
      return value;
    });
  }

  /** Whether the field is there at all: one that a later version has added may not be. */
  has(key: string): boolean {
    return this.#fields[key] !== undefined;
  }

  /** A value as it came, for a reader of its own. */
  value(key: string): unknown {
    return this.#fields[key];
  }

  /** A list of such values. */
  values(key: string): readonly unknown[] {
    return this.#array(key);
  }

  /** A list of objects. */
  list<T>(key: string, take: (fields: JsonFields) => T): T[] {
    return this.#array(key).map((value, index) =>
      take(new JsonFields(`${this.#what}, field "${key}", item ${index}`, value)),
    );
  }

  #array(key: string): readonly unknown[] {
    const value = this.#fields[key];
    if (!Array.isArray(value)) throw this.#wrong(key, "a list");
    return value;
  }

  #wrong(key: string, expected: string, options?: ErrorOptions): WireFormatError {
    return new WireFormatError(this.#what, `its field "${key}" is not ${expected}`, options);
  }
}

/**
 * The root of every error that somebody may catch by kind.
 *
 * `code` is stable and may be matched by programs; the message is for people: the action first, then
 * the state that was found. `data` carries the values of the message for logs and for `--json`.
 */
export class IzoError extends Error {
  readonly code: string;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(
    code: string,
    message: string,
    data: Readonly<Record<string, unknown>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.data = data;
  }
}

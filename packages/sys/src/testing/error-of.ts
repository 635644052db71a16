import { SysError } from "../sys-error.ts";

/** The SysError that `call` throws; anything else, or nothing, fails the test. */
export function errorOf(call: () => unknown): SysError {
  let result: unknown;
  try {
    result = call();
  } catch (error) {
    if (error instanceof SysError) {
      return error;
    }
    throw error;
  }
  throw new Error(`Cannot find an error: the call returned ${String(result)}`);
}

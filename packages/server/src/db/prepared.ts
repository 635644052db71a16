import type { Statement } from "better-sqlite3";

import type { Connection } from "./connection.ts";

const STATEMENTS = new WeakMap<Connection, Map<string, Statement>>();

/**
 * A statement of a connection, compiled at its first use: to compile one costs several times what it
 * does. It is shared, so its modes are set by whoever makes it; only for what is not iterated.
 *
 * @param set sets its modes: `pluck`, `safeIntegers`
 */
export function prepared<Parameters extends unknown[], Row>(
  connection: Connection,
  source: string,
  set: (statement: Statement<Parameters, Row>) => Statement<Parameters, Row> = (plain) => plain,
): Statement<Parameters, Row> {
  let statements = STATEMENTS.get(connection);
  if (statements === undefined) STATEMENTS.set(connection, (statements = new Map()));
  let found = statements.get(source) as Statement<Parameters, Row> | undefined;
  if (found === undefined) {
    found = set(connection.prepare<Parameters, Row>(source));
    statements.set(source, found);
  }
  return found;
}

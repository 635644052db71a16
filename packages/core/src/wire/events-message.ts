/**
 * The feed of a log as server-sent events (WHATWG HTML, section 9.2): what a poll gives, for browsers and
 * for programs without a codec. The id of every event is the position behind which the feed goes on, so
 * whatever follows events is resumed by them alone.
 */
import type { Opcode } from "../kml/opcode.ts";
import { formatPosition, parsePosition, type Position } from "../kml/position.ts";
import { parseRecordJson, recordToJson } from "../kml/record-json.ts";
import type { ServerRecord } from "../kml/record.ts";
import { parseFilesPath, writeFilesPath } from "./files-path.ts";
import { MAX_JSON_BYTES } from "./limits.ts";
import { parseProblem, type Problem, writeProblem } from "./problem.ts";
import { WireFormatError } from "./wire-format-error.ts";

const WHAT = "feed of events";

/** Which records a feed gives. */
export interface EventsRequest {
  /** Only what stands behind it; what comes from now on where it is left out. */
  readonly after?: Position;
  /** Only records about this path, `/a/b`, or below it. */
  readonly path?: string;
  /** Only these operations; all where it is left out. */
  readonly opcodes?: readonly Opcode[];
}

export type FeedEvent =
  | { readonly kind: "record"; readonly position: Position; readonly record: ServerRecord }
  /** The heartbeat: all up to `position` was looked at, of a log that ends at `head`. */
  | { readonly kind: "head"; readonly position: Position; readonly head: Position }
  /** The feed cannot go on, and ends. */
  | { readonly kind: "problem"; readonly problem: Problem };

/** The query of a feed. */
export function writeEventsRequest({ after, path, opcodes = [] }: EventsRequest): string {
  return [
    ...(after === undefined ? [] : [`after=${formatPosition(after)}`]),
    ...(path === undefined ? [] : [`path=${writeFilesPath(path)}`]),
    ...opcodes.map((opcode) => `op=${opcode}`),
  ].join("&");
}

/**
 * The path in the query of a feed, given as it came: names are bytes, which no decoder of forms keeps.
 *
 * @throws InvalidNameError; ProblemError `invalid-name` when the encoding is malformed
 */
export function parseEventsPath(query: string): string | undefined {
  const encoded = /(?:^|&)path=([^&]*)/.exec(query)?.[1];
  // Forms write a space as "+", and some writers escape the slash, which is no part of a name.
  if (encoded === undefined) return undefined;
  return parseFilesPath(encoded.replaceAll("+", "%20").replaceAll(/%2f/gi, "/"));
}

/** One event as it travels. */
export function writeEvent(event: FeedEvent): string {
  switch (event.kind) {
    case "record":
      return write("record", event.position, JSON.stringify(recordToJson(event.record)));
    case "head":
      return write("head", event.position, JSON.stringify({ head: formatPosition(event.head) }));
    case "problem":
      return `event: problem\ndata: ${writeProblem(event.problem)}\n\n`;
  }
}

/** JSON holds no line break, so one field always takes the data. */
function write(name: string, id: Position, data: string): string {
  return `id: ${formatPosition(id)}\nevent: ${name}\ndata: ${data}\n\n`;
}

/**
 * Reads a feed as it comes in, until its body ends. Comments and events that this version does not know
 * are passed over.
 *
 * @throws WireFormatError when an event is not what its name says, or has no end
 */
export async function* parseEventsResponse(
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<FeedEvent, void> {
  let fields = new Map<string, string>();
  for await (const line of linesOf(body)) {
    if (line !== "") {
      const [, name, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line)!;
      fields.set(name!, value ?? "");
      continue;
    }
    const event = parseEvent(fields);
    fields = new Map();
    if (event !== null) yield event;
  }
}

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!;
    if (rest.length > MAX_JSON_BYTES) throw new WireFormatError(WHAT, "a line has no end");
    yield* lines;
  }
}

function parseEvent(fields: ReadonlyMap<string, string>): FeedEvent | null {
  const data = fields.get("data");
  if (data === undefined) return null;
  try {
    switch (fields.get("event")) {
      case "record": {
        const record = parseRecordJson(JSON.parse(data)) as ServerRecord;
        const position = parsePosition(fields.get("id") ?? "");
        return { kind: "record", position, record };
      }
      case "head": {
        const { head } = JSON.parse(data) as { head: string };
        return {
          kind: "head",
          position: parsePosition(fields.get("id") ?? ""),
          head: parsePosition(head),
        };
      }
      case "problem": {
        const problem = parseProblem(data);
        return problem === undefined ? null : { kind: "problem", problem };
      }
      default:
        return null;
    }
  } catch (cause) {
    throw new WireFormatError(WHAT, "an event is not what its name says", { cause });
  }
}

import { formatPosition, type Position } from "../kml/position.ts";
import { JsonFields } from "./json-fields.ts";

/** The place behind a record, for one who knows only its number. */
export function writePositionResponse(position: Position): string {
  return JSON.stringify({ position: formatPosition(position) });
}

/** @throws WireFormatError */
export function parsePositionResponse(body: string): Position {
  return JsonFields.parse("position", body).position("position");
}

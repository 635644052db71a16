import { describe, expect, it } from "vitest";

import type { Recno } from "../../kml/identity.ts";
import { Connections } from "./connections.ts";
import { Facts } from "./fact.ts";
import { ShownRecord } from "./shown-record.ts";

const recordsOf = (count: number): ShownRecord[] =>
  Array.from({ length: count }, (_, index) => new ShownRecord((index + 1) as Recno, false));

describe("Connections", () => {
  it("meets who has to do with a file once, however many records do", () => {
    const file = new Facts(() => {}).at("file");
    const records = recordsOf(100);
    for (const record of records) {
      record.noteRead(file);
      record.noteWritten(file);
    }
    const connections = new Connections();
    const met = records.flatMap((record) => [...connections.of(record)]);
    expect(new Set(met)).toEqual(new Set(records));
    expect(met).toHaveLength(2 * records.length);
  });

  it("leads from who lists a directory to who makes names in it, and from those to him alone", () => {
    const children = new Facts(() => {}, { isShared: true }).at("directory");
    const [maker, other, lister] = recordsOf(3) as [ShownRecord, ShownRecord, ShownRecord];
    maker.noteWritten(children);
    other.noteWritten(children);
    lister.noteRead(children);
    expect([...new Connections().of(maker)]).toEqual([lister]);
    expect([...new Connections().of(lister)]).toEqual([maker, other]);
    const connections = new Connections();
    expect([...connections.of(maker), ...connections.of(lister)]).toEqual([lister, maker, other]);
  });
});

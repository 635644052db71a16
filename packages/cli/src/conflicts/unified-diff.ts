import { diff3MergeRegions, diffIndices } from "node-diff3";

const CONTEXT_LINES = 3;

interface Hunk {
  readonly start: number;
  readonly end: number;
  readonly changes: ReturnType<typeof diffIndices<string>>;
}

/**
 * The differences of two texts in the unified form of diff(1), without the lines that name the files;
 * empty for equal ones.
 */
export function unifiedDiff(before: string[], after: string[]): string[] {
  return hunksOf(before, diffIndices(before, after)).flatMap((hunk) => formatHunk(before, hunk));
}

/** How many places of an ancestor two texts have both changed, each in its own way. */
export function countMeetings(ours: string[], ancestor: string[], theirs: string[]): number {
  const regions = diff3MergeRegions(ours, ancestor, theirs);
  return regions.filter(
    (region) => !region.stable && region.aContent.join("\n") !== region.bContent.join("\n"),
  ).length;
}

/** Changes with less than twice the context between them are printed together. */
function hunksOf(before: readonly string[], changes: Hunk["changes"]): Hunk[] {
  const hunks: { start: number; end: number; changes: Hunk["changes"] }[] = [];
  for (const change of changes) {
    const [offset, length] = change.buffer1;
    const start = Math.max(0, offset - CONTEXT_LINES);
    const end = Math.min(before.length, offset + length + CONTEXT_LINES);
    const last = hunks.at(-1);
    if (last !== undefined && start <= last.end) {
      last.end = end;
      last.changes.push(change);
    } else hunks.push({ start, end, changes: [change] });
  }
  return hunks;
}

function formatHunk(before: readonly string[], { start, end, changes }: Hunk): string[] {
  const lines: string[] = [];
  let at = start;
  let added = 0;
  for (const { buffer1, buffer1Content, buffer2Content } of changes) {
    const [offset, length] = buffer1;
    lines.push(...before.slice(at, offset).map((line) => ` ${line}`));
    lines.push(...buffer1Content.map((line) => `-${line}`));
    lines.push(...buffer2Content.map((line) => `+${line}`));
    at = offset + length;
    added += buffer2Content.length - length;
  }
  lines.push(...before.slice(at, end).map((line) => ` ${line}`));
  const [first] = changes;
  const afterStart = first!.buffer2[0] - (first!.buffer1[0] - start);
  const counts = `-${start + 1},${end - start} +${afterStart + 1},${end - start + added}`;
  return [`@@ ${counts} @@`, ...lines];
}

/**
 * A value as one line of JSON. Big integers (nanoseconds) become text, because a JSON number would
 * lose their last digits; bytes become base64.
 */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => {
    if (typeof item === "bigint") return item.toString();
    if (item instanceof Uint8Array) return Buffer.from(item).toString("base64");
    return item;
  });
}

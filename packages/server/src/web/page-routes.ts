/** Paths of the pages, with `:name` where a value stands. Nothing of them is part of the protocol. */
export const PAGE_ROUTES = {
  asset: "/assets/:name",
  overview: "/filesets/:fileset",
  changes: "/filesets/:fileset/changes",
  conflicts: "/filesets/:fileset/conflicts",
  conflict: "/filesets/:fileset/conflicts/:copy",
  /** A path of the fileset follows. */
  tree: "/filesets/:fileset/tree",
  download: "/filesets/:fileset/download",
} as const;

/** The path of a page with its values filled in. */
export function pagePath(
  page: keyof typeof PAGE_ROUTES,
  values: Readonly<Record<string, string>>,
): string {
  return PAGE_ROUTES[page].replaceAll(/:(\w+)/g, (_, name: string) =>
    encodeURIComponent(values[name]!),
  );
}

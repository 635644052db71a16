/** Paths of the protocol (design §6), with `:name` where a value stands; the only place that spells them. */
export const ROUTES = {
  filesets: "/v1/filesets",
  profile: "/v1/filesets/:fileset/profile",
  status: "/v1/filesets/:fileset/status",
  conflicts: "/v1/filesets/:fileset/conflicts",
  kml: "/v1/filesets/:fileset/kml",
  events: "/v1/filesets/:fileset/events",
  segments: "/v1/filesets/:fileset/kml/segments",
  segment: "/v1/filesets/:fileset/kml/segments/:first",
  position: "/v1/filesets/:fileset/kml/positions/:recno",
  snapshot: "/v1/filesets/:fileset/snapshot",
  /** The tree as it was behind a record, or what of it differs from the tree behind another. */
  tree: "/v1/filesets/:fileset/tree",
  history: "/v1/filesets/:fileset/history",
  /** The last change of each entry of a directory, whose path follows. */
  blame: "/v1/filesets/:fileset/blame",
  peers: "/v1/filesets/:fileset/peers",
  content: "/v1/filesets/:fileset/content/:sha256",
  contentPack: "/v1/filesets/:fileset/content-pack",
  /** A file or directory by its path follows. */
  files: "/v1/filesets/:fileset/files",
  reintegrate: "/v1/filesets/:fileset/reintegrate",
  permit: "/v1/filesets/:fileset/permit",
  openapi: "/v1/openapi.json",
  health: "/healthz",
  metrics: "/metrics",
  /** A form that takes a token, for browsers. */
  login: "/login",
  logout: "/logout",
  home: "/",
} as const;

export type Route = keyof typeof ROUTES;

/** Names of the values in a route's path. */
type ParameterOf<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | ParameterOf<`/${Rest}`>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never;

/**
 * The path of a route with its values filled in.
 *
 * @example routePath("profile", { fileset: "rootfset" }) // "/v1/filesets/rootfset/profile"
 */
export function routePath<R extends Route>(
  route: R,
  parameters: Readonly<Record<ParameterOf<(typeof ROUTES)[R]>, string>>,
): string {
  const values: Readonly<Record<string, string>> = parameters;
  return ROUTES[route].replaceAll(/:(\w+)/g, (_, name: string) =>
    encodeURIComponent(values[name]!),
  );
}

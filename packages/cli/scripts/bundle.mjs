/**
 * Puts the program into few files, `bundle/`: a step of the build. A command spends most of its time on loading, and
 * most of that on finding and linking some 800 modules one by one.
 *
 * What is not in it: packages with native parts, and data of our own packages, which are found by the package's name
 * (`packageDirectory` of @izo/sys).
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { rolldown } from "rolldown";

const root = join(import.meta.dirname, "..");
const target = join(root, "bundle");
const sources = (name) => join(root, "../client/src", name);

/** All in one directory: a thread's file is looked for beside the code that starts it. */
const ENTRIES = {
  main: join(root, "src/main.ts"),
  "mount-helper": join(root, "src/mount-helper.ts"),
  "hash-worker": sources("sync/seal/hash-worker.ts"),
  "landing-worker": sources("remote/landing/landing-worker.ts"),
  "watcher-worker": sources("fuse/kernel/watchers/watcher-worker.ts"),
};

/** The directory of the package that a module belongs to, where that is not one of ours. */
function foreignPackage(id) {
  if (!id.includes("/node_modules/")) return undefined;
  for (let directory = dirname(id); ; directory = dirname(directory)) {
    const manifest = join(directory, "package.json");
    // Some have a package.json in a directory below, only to say which kind of modules are there.
    if (existsSync(manifest) && "version" in JSON.parse(readFileSync(manifest, "utf8")))
      return directory;
  }
}

/** What the licences of the packages in the bundle ask for: their texts. */
function licences(directories) {
  const texts = directories.toSorted().map((directory) => {
    const { name, version, license } = JSON.parse(
      readFileSync(join(directory, "package.json"), "utf8"),
    );
    const file = readdirSync(directory).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? license : readFileSync(join(directory, file), "utf8").trim();
    return `${name} ${version}\n\n${text}\n`;
  });
  return texts.join(`\n${"-".repeat(72)}\n\n`);
}

/**
 * From the sources drizzle-orm is loaded as CommonJS (`db/drizzle.ts`), which a bundler does not see through. Here its
 * modules are taken in, without what is not used of them.
 */
const drizzleAsModules = {
  name: "drizzle-as-modules",
  transform(code, id) {
    if (!id.endsWith("/db/drizzle.ts")) return null;
    const parts = [...code.matchAll(/export const (\{[^}]*\}) = load\(\s*"([^"]+)"/g)];
    if (parts.length === 0) throw new Error(`Cannot bundle: ${id} loads nothing`);
    return parts.map(([, names, from]) => `export ${names} from "${from}";`).join("\n");
  },
};

/**
 * Of undici only what is used is taken in: most of it is fetch, WebSocket, caches and mocks, and its index loads all of that.
 * An import of anything else ends the build. HTTP/2 is spoken with nobody (`connection-pools.ts`), and node:http2 takes as long
 * to load as all that is left.
 */
const UNDICI_PARTS = {
  "index.js": `
    import Dispatcher from "./lib/dispatcher/dispatcher.js";
    import request from "./lib/api/api-request.js";
    Dispatcher.prototype.request = request;
    export { default as Pool } from "./lib/dispatcher/pool.js";
    export { default as buildConnector } from "./lib/core/connect.js";
  `,
  "lib/dispatcher/client-h2.js": `
    module.exports = () => {
      throw new Error("Cannot speak HTTP/2: it was not offered");
    };
  `,
};

const undiciInParts = {
  name: "undici-in-parts",
  load(id) {
    const [, file] = id.split("/node_modules/undici/");
    return UNDICI_PARTS[file] ?? null;
  },
};

rmSync(target, { recursive: true, force: true });
const bundle = await rolldown({
  input: ENTRIES,
  platform: "node",
  resolve: { conditionNames: ["izo:source", "node", "import", "default"] },
  external: ["better-sqlite3", "fuse-native"],
  plugins: [drizzleAsModules, undiciInParts],
  onLog(level, log) {
    if (level === "warn") throw new Error(`Cannot bundle: ${log.message}`);
  },
});
const { output } = await bundle.write({
  dir: target,
  format: "esm",
  entryFileNames: "[name].js",
  chunkFileNames: "[name]-[hash].js",
});
const foreign = new Set(
  output.flatMap(({ moduleIds = [] }) => moduleIds.map(foreignPackage)).filter(Boolean),
);
writeFileSync(join(target, "LICENSES.txt"), licences([...foreign]));

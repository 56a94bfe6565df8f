// `npm run torture` runs main.ts through the compiler of the tests, because Node 20 does not read TypeScript.
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const { module } = await runnerImport(fileURLToPath(new URL("main.ts", import.meta.url)), {
  configFile: false,
  logLevel: "error",
  // Node 20 does not know `await using`.
  oxc: { target: "node20" },
});
process.exitCode = await module.main(process.argv.slice(2));

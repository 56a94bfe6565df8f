// `npm run torture`: main.ts through the compiler that runs the tests, since Node 20 does not read TypeScript.
import { fileURLToPath } from "node:url";
import { runnerImport } from "vite";

const { module } = await runnerImport(fileURLToPath(new URL("main.ts", import.meta.url)), {
  configFile: false,
  logLevel: "error",
  // `await using` is beyond Node 20.
  oxc: { target: "node20" },
});
process.exitCode = await module.main(process.argv.slice(2));

// Stands for the git server of a push, as the sidecar sees it through the hook. The shim is left out.
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { GitServer } from "../../src/git/receive-policy.ts";
import { settingsStamp } from "../../src/shim/settings-stamp.ts";

/** Makes a git server that has received a push into `gitDir` with the environment `env`. */
export function gitServer(gitDir: string, env: NodeJS.ProcessEnv): GitServer {
  return {
    settings: settingsStamp(gitDir, env),
    async runHook(path, args) {
      const child = spawn(path, args.map(String), { cwd: gitDir, env: { ...env, GIT_DIR: "." }, stdio: "ignore" });
      const [code] = (await once(child, "close")) as [number | null];
      return code ?? 128;
    },
  };
}

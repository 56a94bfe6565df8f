// A git server as a sidecar sees it through the hook of a push, without the shim.
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { GitServer } from "../../src/git/receive-policy.ts";
import { settingsStamp } from "../../src/shim/settings-stamp.ts";

/** One that has received a push into `gitDir` in that environment. */
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

// Checks the programs: Node, which runs `serve`, and git and the shim, which `serve` runs or installs.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { RefFormat } from "../domain.ts";
import { nativeShim } from "../git/root/install-shim.ts";
import { gitVersion } from "../git/version.ts";
import { required } from "../settings/read-config.ts";
import type { Look } from "./finding.ts";

const run = promisify(execFile);

const OLDEST_NODE = [20, 20] as const;

export const lookAtNode: Look = async (_, { execPath }) => {
  const { stdout } = await run(execPath, ["--version"], { env: {} });
  const version = stdout.trim().replace(/^v/, "");
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return version;
  return { missing: `Node is ${version}, which is too old; install ${OLDEST_NODE.join(".")} or newer.` };
};

export const lookAtGit: Look = async (config, { env }) =>
  await gitVersion({ path: env.PATH ?? "", home: "/", lockFd: null }, "/", required(config, "ref-format") as RefFormat);

export const lookAtShim: Look = async () =>
  (await nativeShim()) !== undefined
    ? "native"
    : {
        warning:
          "The shim is the Node program, which adds 50 ms to a push; install a C compiler and run `npm run build`.",
      };

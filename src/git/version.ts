// Which git is on PATH. Lockstep needs at least 2.39, and 2.46 for reftables.
import { simpleGit } from "simple-git";
import type { RefFormat } from "../domain.ts";
import { LockstepError } from "../errors.ts";
import { here } from "./command/build.ts";
import type { LocalArguments } from "./command/operations.ts";
import { gitFailedError } from "./git-error.ts";
import type { GitContext } from "./process.ts";

/** simple-git refuses these variables and settings. Here they name no program: they are those of the builder. */
const OUR_OWN = {
  allowUnsafeAskPass: true,
  allowUnsafeConfigEnvCount: true,
  allowUnsafeConfigPaths: true,
  allowUnsafeCredentialHelper: true,
  allowUnsafeFsMonitor: true,
  allowUnsafeGpgProgram: true,
  allowUnsafeHooksPath: true,
  allowUnsafePager: true,
  allowUnsafeProtocolOverride: true,
} as const;

/**
 * Runs a short command that looks at no repository. Returns its output. Throws GIT_FAILED, and the error of the
 * operating system when git cannot be started.
 */
async function gitWithoutRepository(context: GitContext, directory: string, asked: LocalArguments): Promise<string> {
  let exitCode = 0;
  let stderr = "";
  const { args, env } = here(context, { kind: "local", args: asked }, directory);
  const stdout = await simpleGit({
    baseDir: directory,
    allowEnvironment: Object.keys(env).filter((name) => name.startsWith("GIT_")),
    unsafe: OUR_OWN,
    // Only this hook sees the exit code. An error returned from here would lose its fields.
    errors: (_, result) => {
      exitCode = result.exitCode;
      stderr = Buffer.concat(result.stdErr).toString("utf8");
      return undefined;
    },
  })
    .env(env)
    .raw([...args]);
  if (exitCode !== 0) throw gitFailedError(args, exitCode, stderr);
  return stdout;
}

const OLDEST = { files: [2, 39], reftable: [2, 46] } as const;

/**
 * Returns the version of the git on PATH. Throws PREREQUISITE_MISSING when git is missing, or too old for that ref
 * format.
 */
export async function gitVersion(
  context: GitContext,
  directory: string,
  refFormat: RefFormat = "files",
): Promise<string> {
  const oldest = OLDEST[refFormat];
  const install = `install git ${oldest.join(".")} or newer`;
  const said = await gitWithoutRepository(context, directory, ["version"]).catch((cause: unknown) => {
    throw new LockstepError("PREREQUISITE_MISSING", `git cannot be started; ${install}.`, { cause });
  });
  const version = said.trim().replace("git version ", "");
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return version;
  const why = refFormat === "reftable" ? "too old for --ref-format reftable" : "too old";
  throw new LockstepError("PREREQUISITE_MISSING", `git is ${version}, which is ${why}; ${install}.`);
}

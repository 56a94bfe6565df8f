// Which git is on PATH. Lockstep needs at least 2.39, and 2.46 for reftables.
import { simpleGit } from "simple-git";
import type { RefFormat } from "../domain.ts";
import { LockstepError } from "../errors.ts";
import { gitFailedError } from "./git-error.ts";
import { type GitContext, gitEnvironment } from "./process.ts";

/**
 * Runs a short command that looks at no repository. Returns its output. Throws GIT_FAILED, and the error of the
 * operating system when git cannot be started.
 */
async function gitWithoutRepository(context: GitContext, directory: string, args: string[]): Promise<string> {
  let exitCode = 0;
  let stderr = "";
  const environment = gitEnvironment(context, directory);
  const stdout = await simpleGit({
    baseDir: directory,
    allowEnvironment: Object.keys(environment).filter((name) => name.startsWith("GIT_")),
    unsafe: { allowUnsafeConfigEnvCount: true, allowUnsafeConfigPaths: true, allowUnsafeHooksPath: true },
    // Only this hook sees the exit code. An error returned from here would lose its fields.
    errors: (_, result) => {
      exitCode = result.exitCode;
      stderr = Buffer.concat(result.stdErr).toString("utf8");
      return undefined;
    },
  })
    .env(environment)
    .raw(args);
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

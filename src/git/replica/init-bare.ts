import type { RefFormat } from "../../domain.ts";
import { type GitContext, gitBytes } from "../process.ts";

/** Makes an empty bare repository in the directory `path`, without a template. */
export async function initBare(
  context: GitContext,
  path: string,
  objectFormat: "sha1" | "sha256",
  refFormat?: RefFormat,
): Promise<void> {
  const init = ["init", "--quiet", "--bare", "--template=", `--object-format=${objectFormat}`, path];
  // Before 2.45 git has no option for the format of refs.
  const env: Record<string, string> = refFormat === undefined ? {} : { GIT_DEFAULT_REF_FORMAT: refFormat };
  await gitBytes(context, path, init, { env, writes: true });
}

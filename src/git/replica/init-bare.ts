import type { RefFormat } from "../../domain.ts";
import type { LocalArguments } from "../command/operations.ts";
import { type GitContext, gitBytes } from "../process.ts";

/** Makes an empty bare repository in the directory `path`, without a template. */
export async function initBare(
  context: GitContext,
  path: string,
  objectFormat: "sha1" | "sha256",
  refFormat?: RefFormat,
): Promise<void> {
  const init: LocalArguments = [
    "init",
    "--quiet",
    "--bare",
    "--template=",
    `--object-format=${objectFormat}`,
    "--",
    path,
  ];
  await gitBytes(context, path, init, { refFormat, writes: true });
}

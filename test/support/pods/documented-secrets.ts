// Runs the commands of docs/kubernetes.md that make secrets. kubectl prints the secrets instead of sending them.
import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import { documented } from "../documented.ts";

const MAIN = fileURLToPath(new URL("../../../dist/main.js", import.meta.url));
const PRINTS = 'kubectl() { echo ---; command kubectl "$@" --dry-run=client --output yaml; }';

/** The user of the secret lockstep-users, with the password `secret`. */
export const USER = "ada";
const PASSWORDS = `printf '${USER}:%s\\n' "$(openssl passwd -apr1 secret)" > users`;

/** Runs the block `language` in `dir`, with `places` replaced. Returns the keys of each secret that it makes. */
export async function documentedSecrets(
  language: string,
  dir: string,
  places: Readonly<Record<string, string>>,
): Promise<Map<string, Record<string, string>>> {
  const commands = await documented(language, places, "kubernetes.md");
  await mkdir(dir, { recursive: true });
  const lockstep = `lockstep() { '${process.execPath}' '${MAIN}' "$@" >&2; }`;
  const text = ["set -eu", PRINTS, lockstep, `htpasswd() { ${PASSWORDS}; }`, commands].join("\n");
  const { stdout } = await promisify(execFile)("bash", ["-c", text], { cwd: dir });
  const secrets = parseAllDocuments(stdout).map((document) => document.toJS() as Secret);
  return new Map(secrets.map(({ metadata, data }) => [metadata.name, decoded(data)]));
}

interface Secret {
  readonly metadata: { readonly name: string };
  readonly data: Readonly<Record<string, string>>;
}

function decoded(data: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]);
  return Object.fromEntries(entries);
}

import { randomUUID } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { CredentialPair } from "./authority.ts";

/**
 * Writes NAME.pem and NAME.key (mode 600) into `dir`, which it makes if needed. Returns their paths. Each file is
 * replaced in one step, the key first. A program that reads them meanwhile finds no half file, at worst a pair that
 * does not match yet.
 */
export async function writeCredentials(
  dir: string,
  name: string,
  pair: CredentialPair,
): Promise<{ certificate: string; key: string }> {
  await mkdir(dir, { recursive: true });
  const paths = { certificate: join(dir, `${name}.pem`), key: join(dir, `${name}.key`) };
  await replace(paths.key, pair.keyPem, 0o600);
  await replace(paths.certificate, pair.certificatePem, 0o644);
  return paths;
}

async function replace(path: string, text: string, mode: number): Promise<void> {
  const partial = `${path}.${randomUUID()}`;
  await writeFile(partial, text, { mode, flag: "wx" });
  await rename(partial, path);
}

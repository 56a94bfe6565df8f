import { randomUUID } from "node:crypto";
import { link, mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { LockstepError } from "../errors.ts";
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

/** Writes as `writeCredentials` does. Throws USAGE if one of the files exists already. */
export async function writeNewCredentials(
  dir: string,
  name: string,
  pair: CredentialPair,
): Promise<{ certificate: string; key: string }> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const paths = { certificate: join(dir, `${name}.pem`), key: join(dir, `${name}.key`) };
  await create(paths.key, pair.keyPem, 0o600);
  try {
    await create(paths.certificate, pair.certificatePem, 0o644);
  } catch (error) {
    await rm(paths.key, { force: true });
    throw error;
  }
  return paths;
}

async function replace(path: string, text: string, mode: number): Promise<void> {
  await rename(await writePartial(path, text, mode), path);
}

async function create(path: string, text: string, mode: number): Promise<void> {
  const partial = await writePartial(path, text, mode);
  try {
    // A link, unlike a rename, never takes the place of a file.
    await link(partial, path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    throw new LockstepError(
      "USAGE",
      `The file ${path} exists already; choose another folder, remove the file, or renew it with \`lockstep ca renew\`.`,
      { cause },
    );
  } finally {
    await rm(partial, { force: true });
  }
}

async function writePartial(path: string, text: string, mode: number): Promise<string> {
  const partial = `${path}.${randomUUID()}`;
  const file = await open(partial, "wx", mode);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  return partial;
}

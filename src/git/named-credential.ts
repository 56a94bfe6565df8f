// Credentials that an operator named, for servers outside the cluster. The operator's file is read at each use, so a
// new secret counts at once. The secret goes into another file, which git reads, and nowhere else.
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LockstepError } from "../errors.ts";
import type { NamedHttps, NamedSsh } from "./command/credentials.ts";

/** Where the secret is, and in which form. */
export interface NamedFile {
  /** basic: `user:password`. bearer: a token. */
  readonly kind: "basic" | "bearer";
  readonly file: string;
}

/**
 * Reads the secret for the server at `address` (host or host:port), and writes a file for git below `directory`.
 * Disposal removes that file. Throws PREREQUISITE_MISSING, with the name of the operator's file and nothing of its
 * content.
 */
export async function readNamed(
  { kind, file }: NamedFile,
  address: string,
  directory: string,
): Promise<NamedHttps & AsyncDisposable> {
  await assertPrivate(file);
  const secret = (await readFile(file, "utf8")).replace(/\r?\n$/, "");
  if (!/^[\w.:[\]-]+$/.test(address)) throw unusableError(file, "is for an address that is not HOST or HOST:PORT");
  // Other characters would end the header, or the setting that holds it.
  const form = kind === "basic" ? /^[^:\p{Cc}]+:[^\p{Cc}]+$/u : /^[\w.~+/=-]+$/;
  if (!form.test(secret))
    throw unusableError(file, kind === "basic" ? "is not one line user:password" : "is not one line with a token");
  const header = kind === "basic" ? `Basic ${Buffer.from(secret).toString("base64")}` : `Bearer ${secret}`;
  const place = await mkdtemp(join(directory, "credential-"));
  const dispose = () => rm(place, { recursive: true, force: true });
  try {
    const include = join(place, "config");
    // No other server gets the header.
    const settings = `[http "https://${address}/"]\n\textraHeader = "Authorization: ${header}"\n`;
    await writeFile(include, settings, { mode: 0o600, flag: "wx" });
    return { credential: "named", include, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Returns the credential of a private key. ssh reads the file itself, at each use. Throws PREREQUISITE_MISSING. */
export async function namedKey(identity: string): Promise<NamedSsh> {
  await assertPrivate(identity);
  return { credential: "named", identity };
}

/** Throws PREREQUISITE_MISSING for a file that other users may read. */
async function assertPrivate(file: string): Promise<void> {
  const found = await stat(file).catch((cause: NodeJS.ErrnoException) => {
    throw unusableError(file, `cannot be read (${cause.code})`);
  });
  if (!found.isFile()) throw unusableError(file, "is no file");
  if (found.mode & 0o077) throw unusableError(file, "may be read by other users; run `chmod 600` on it");
}

function unusableError(file: string, why: string): LockstepError {
  return new LockstepError("PREREQUISITE_MISSING", `The credential in ${file} ${why}, so nothing was asked.`, {
    details: { path: file },
  });
}

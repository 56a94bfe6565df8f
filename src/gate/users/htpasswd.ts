// Users of a file in the format of Apache's htpasswd: `name:hash` a line. bcrypt, MD5 of Apache, and SHA-1.
import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { LockstepError } from "../../errors.ts";
import { Refusal } from "../../smart-http/refusal.ts";
import {
  type Entry,
  type Password,
  RefusedCredentials,
  shownName,
  type UserSource,
  unauthorizedRefusal,
} from "./users.ts";

const BCRYPT = /^\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}$/;
const APACHE_MD5 = /^\$apr1\$[^$:]{1,8}\$[./A-Za-z0-9]{22}$/;
const SHA1 = /^\{SHA\}[A-Za-z0-9+/]{27}=$/;

/** A bcrypt hash costs a tenth of a second and more. So few are computed at once, and few wait. */
const AT_ONCE = 2;
const WAITING_LIMIT = 32;
/** Verified passwords that are kept, as keyed hashes. git sends its password with each request. */
const KEPT_LIMIT = 1_000;

type Log = { warn(fields: Record<string, unknown>, message: string): void };

/** Knows the users of an htpasswd file. It reads the file again when the file has changed. */
export class Htpasswd implements UserSource {
  readonly takesPasswords = true;
  readonly #path: string;
  readonly #log: Log;
  readonly #key = randomBytes(32);
  readonly #verified = new Set<string>();
  #users: ReadonlyMap<string, string>;
  #stamp: string;
  #computing = 0;
  readonly #waiting: (() => void)[] = [];

  private constructor(path: string, log: Log, stamp: string, users: ReadonlyMap<string, string>) {
    this.#path = path;
    this.#log = log;
    this.#stamp = stamp;
    this.#users = users;
  }

  /** Reads the file. Throws USAGE when it cannot be read, or when a line has another form. */
  static async read(path: string, log: Log): Promise<Htpasswd> {
    const stamp = await stampOf(path).catch(() => "");
    return new Htpasswd(path, log, stamp, await readUsers(path));
  }

  async userOf({ password }: Entry): Promise<string | undefined> {
    if (password === undefined) return undefined;
    await this.#refresh();
    const hash = this.#users.get(password.user);
    const right = await this.#isRight(password, hash);
    if (right) return password.user;
    const shown = { user: shownName(password), way: "--htpasswd", forbidden: false };
    throw new RefusedCredentials(unauthorizedRefusal("The name or the password is wrong."), shown);
  }

  /** If the new content is not right, the old one goes on to count. */
  async #refresh(): Promise<void> {
    const stamp = await stampOf(this.#path).catch(() => this.#stamp);
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    try {
      this.#users = await readUsers(this.#path);
      this.#verified.clear();
    } catch (error) {
      this.#log.warn({ err: (error as Error).message }, "the file of --htpasswd has changed and is not used");
    }
  }

  async #isRight(password: Password, hash: string | undefined): Promise<boolean> {
    // For an unknown name, another user's hash is computed: the time of the answer must not tell which names exist.
    const computed = hash ?? this.#users.values().next().value;
    if (computed === undefined) return false;
    const kept = createHmac("sha256", this.#key).update(`${hash}\n`).update(password.secret).digest("base64");
    if (hash !== undefined && this.#verified.has(kept)) return true;
    const right = (await this.#compute(() => matches(password.secret, computed))) && hash !== undefined;
    if (right) this.#keep(kept);
    return right;
  }

  #keep(kept: string): void {
    const [oldest] = this.#verified;
    if (this.#verified.size >= KEPT_LIMIT && oldest !== undefined) this.#verified.delete(oldest);
    this.#verified.add(kept);
  }

  async #compute(compute: () => Promise<boolean>): Promise<boolean> {
    if (this.#computing >= AT_ONCE) {
      if (this.#waiting.length >= WAITING_LIMIT)
        throw new Refusal(503, "This server checks many passwords at the moment; try again.", {
          headers: { "Retry-After": "5" },
        });
      await new Promise<void>((turn) => this.#waiting.push(turn));
    } else this.#computing += 1;
    try {
      return await compute();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#computing -= 1;
    }
  }
}

/** Returns true when the password has that hash. */
export async function matches(secret: Buffer, hash: string): Promise<boolean> {
  if (BCRYPT.test(hash)) return await (await import("bcryptjs")).default.compare(secret.toString("utf8"), hash);
  const computed = SHA1.test(hash)
    ? `{SHA}${createHash("sha1").update(secret).digest("base64")}`
    : await apacheMd5(secret, hash);
  return computed.length === hash.length && timingSafeEqual(Buffer.from(computed), Buffer.from(hash));
}

async function apacheMd5(secret: Buffer, hash: string): Promise<string> {
  // Its types describe another way to export it.
  const library = (await import("apache-md5")).default as unknown as (password: string, salt: string) => string;
  // It takes each character for a byte.
  return library(secret.toString("latin1"), hash);
}

async function stampOf(path: string): Promise<string> {
  const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  return [ino, size, mtimeNs, ctimeNs].join(" ");
}

async function readUsers(path: string): Promise<Map<string, string>> {
  const content = await readFile(path, "utf8").catch((cause: Error) => {
    throw usageError(`The file of --htpasswd cannot be read (${cause.message}); correct its path.`);
  });
  const users = new Map<string, string>();
  for (const [index, line] of content.split(/\r?\n/).entries()) {
    if (line === "" || line.startsWith("#")) continue;
    const colon = line.indexOf(":");
    const hash = line.slice(colon + 1);
    if (colon < 1 || ![BCRYPT, APACHE_MD5, SHA1].some((form) => form.test(hash)))
      throw usageError(
        `Line ${index + 1} of the file of --htpasswd is not name:hash with a hash of bcrypt, Apache's MD5 or SHA-1; make it anew with \`htpasswd -B\`.`,
      );
    users.set(line.slice(0, colon), hash);
  }
  return users;
}

function usageError(message: string): LockstepError {
  return new LockstepError("USAGE", message);
}

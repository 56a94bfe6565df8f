// Decides who may read or push through the gate. Reading and pushing are asked apart.
import type { IncomingMessage } from "node:http";
import { Refusal } from "../../smart-http/refusal.ts";
import type { GitRequest } from "../../smart-http/route.ts";

export type Access = "read" | "write";

/** A request to be let in. */
export interface Entry {
  readonly request: IncomingMessage;
  /** The address of the client. */
  readonly address: string;
  readonly repository: string;
  readonly access: Access;
  /** The name and password of the request; undefined if it brings none. */
  readonly password: Password | undefined;
  /** Aborts when the client has left. */
  readonly signal: AbortSignal;
}

/** The name and password of an `Authorization: Basic` header. */
export interface Password {
  readonly user: string;
  readonly secret: Buffer;
}

/** What the gate refused. It never has a password. */
export interface RefusedUser {
  /** The name that the client showed; empty: none. */
  readonly user: string;
  readonly address: string;
  /** How the gate knows its users: a setting. */
  readonly way: string;
  /** The user is known, and may not do this. */
  readonly forbidden: boolean;
  readonly why: string;
}

/** The refusal of a client that has shown who it is. A request without any credentials is refused otherwise. */
export class RefusedCredentials extends Refusal {
  readonly shown: Pick<RefusedUser, "user" | "way" | "forbidden">;

  constructor({ status, message, headers, cause }: Refusal, shown: RefusedCredentials["shown"]) {
    super(status, message, { headers, cause });
    this.shown = shown;
  }
}

type Came = Pick<Entry, "request" | "address" | "signal">;

/** A way to know users. */
export interface UserSource {
  /**
   * Returns the user's name; undefined if the request does not say who its user is. Throws Refusal when the user is
   * unknown, or may not have this access.
   */
  userOf(entry: Entry): Promise<string | undefined>;
  /** True: a user can prove himself by a name and a password, so git may ask him for them. */
  readonly takesPasswords: boolean;
}

export interface UserRules {
  readonly anonymous: Readonly<Record<Access, boolean>>;
  /** Asked in this order. The first one that names the user counts. */
  readonly sources: readonly UserSource[];
}

/** Without a way to know users, everybody may read and push. */
export const EVERYBODY: UserRules = { anonymous: { read: true, write: true }, sources: [] };

/** Returns the access that a request needs. */
function accessOf({ service }: GitRequest): Access {
  return service === "receive-pack" ? "write" : "read";
}

/**
 * Returns the user of a request; undefined for an anonymous one that may go on. Throws Refusal: 401 when git may ask
 * its user for a password, else 403. A source may throw others. `onRefused` is told of credentials that were refused.
 */
export async function admit(
  rules: UserRules,
  came: Came,
  asked: GitRequest,
  onRefused: (refused: RefusedUser) => void,
): Promise<string | undefined> {
  try {
    return await userOf(rules, came, asked);
  } catch (error) {
    if (error instanceof RefusedCredentials) onRefused({ ...error.shown, address: came.address, why: error.message });
    throw error;
  }
}

async function userOf({ anonymous, sources }: UserRules, came: Came, asked: GitRequest): Promise<string | undefined> {
  const access = accessOf(asked);
  const password = passwordOf(came.request.headers.authorization);
  for (const source of sources) {
    const user = await source.userOf({ ...came, repository: asked.repository, access, password });
    if (user !== undefined) return checkedUser(user);
  }
  if (anonymous[access]) return undefined;
  const what = access === "read" ? "read" : "push";
  if (sources.some(({ takesPasswords }) => takesPasswords))
    throw unauthorizedRefusal(`This server lets only users that it knows ${what}; give your name and password.`);
  const remedy = sources.length > 0 ? "; give git a client certificate (http.sslCert, http.sslKey)" : "";
  throw new Refusal(403, `This server lets nobody ${what} without a name${remedy || ", and knows no names"}.`);
}

/** Makes the answer that lets git ask its user for a name and a password. */
export function unauthorizedRefusal(message: string, challenge = 'Basic realm="git", charset="UTF-8"'): Refusal {
  return new Refusal(401, message, { headers: { "WWW-Authenticate": challenge } });
}

/** Reads an `Authorization` header. Returns undefined for other schemes and for what is no name and password. */
function passwordOf(header: string | undefined): Password | undefined {
  const [, encoded] = /^basic +([A-Za-z0-9+/_-]+={0,2}) *$/i.exec(header ?? "") ?? [];
  if (encoded === undefined) return undefined;
  const bytes = Buffer.from(encoded, "base64");
  const colon = bytes.indexOf(":");
  if (colon < 1) return undefined;
  return { user: bytes.subarray(0, colon).toString("utf8"), secret: bytes.subarray(colon + 1) };
}

/** Returns the name that came with a password; empty where the name itself may be a token. */
export function shownName({ user, secret }: Password): string {
  return secret.length === 0 || secret.equals(NO_SECRET) ? "" : user;
}

/** Some forges take a token in the place of the name, with this or nothing as the password. */
const NO_SECRET = Buffer.from("x-oauth-basic");

const USER_LIMIT = 200;

/**
 * Returns a user's name, which goes into the log, into reflogs and into the environment of hooks. Throws Refusal for
 * one that does not fit there.
 */
function checkedUser(user: string): string {
  if (user !== "" && user.length <= USER_LIMIT && !/[\p{Cc}\u2028\u2029]/u.test(user)) return user;
  throw new Refusal(403, `A user's name has 1 to ${USER_LIMIT} characters, and no control characters.`);
}

// What the rules answer to a credential, for each RPC (../integration/certificate-*.test.ts).
import { ruleOf } from "../../src/rpc/call/roles.ts";
import { type Call, callOf, everyRpc, type Outcome } from "./certificate-asks.ts";
import { HELD, OTHER, type Proven, type Proves } from "./certificate-kinds.ts";

export interface Asked extends Call {
  /** The repository that the request names. undefined: it names none. */
  readonly repository?: string;
}

/** Fields that keep a call from waiting, and from changing anything. */
const FIELDS: Readonly<Record<string, object>> = { BeginWrite: { writeId: "no id" } };

/** Each RPC once; those that are about one repository, or about listed ones, for each of the two repositories. */
export function everyCall(): Asked[] {
  return everyRpc().flatMap((rpc) => {
    const scope = ruleOf(rpc.path)?.scope;
    const fields = FIELDS[rpc.path.split("/").at(-1) ?? ""];
    const forRepository = (repository: string): Asked => ({
      ...callOf(rpc, { ...(scope === "one" ? { repository } : { repositories: [repository] }), ...fields }),
      repository,
    });
    return scope === "one" || scope === "listed" ? [HELD, OTHER].map(forRepository) : [callOf(rpc, fields)];
  });
}

/** Returns what the rules answer to a caller with a certificate. */
function ruled({ role, holds = [], uses, readsOnly = false }: Proven, { path, repository = "" }: Asked): Outcome {
  const rule = ruleOf(path);
  // Health and reflection tell no secret, and are open to every valid certificate.
  if (rule === undefined) return /^\/grpc\.(health|reflection)\./.test(path) ? "answered" : "PERMISSION_DENIED";
  const { roles, does, scope } = rule;
  const isTheirs =
    uses === undefined ||
    uses.some((each) => each === repository || (each === "team/*" && repository.startsWith("team/")));
  const refused =
    !roles.includes(role) ||
    (role === "device" && scope === "one" && !holds.includes(repository)) ||
    (readsOnly && does === "writes") ||
    (uses !== undefined && scope === "cluster") ||
    ((scope === "one" || scope === "listed") && !isTheirs);
  return refused ? "PERMISSION_DENIED" : "answered";
}

function expected(proves: Proves, call: Asked): Outcome {
  if (proves === "no handshake") return "cut";
  if (proves !== "nobody") return ruled(proves, call);
  return ruleOf(call.path) === undefined ? "answered" : "UNAUTHENTICATED";
}

/** Returns what differs from the rules. */
export function differences(seen: readonly Outcome[], calls: readonly Asked[], proves: Proves): string[] {
  return calls.flatMap((call, at) => {
    const should = expected(proves, call);
    return seen[at] === should ? [] : [`${call.path} ${call.repository ?? ""}: ${seen[at]}, not ${should}`];
  });
}

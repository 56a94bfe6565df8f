// The commands about the keys of a name, the same for devices, front ends and operators: trust, revoke, show, list.
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import { LockstepError } from "../../errors.ts";
import type { Identity__Output as Identity } from "../../generated/lockstep/v1/Identity.ts";
import type { Key__Output as Key } from "../../generated/lockstep/v1/Key.ts";
import type { WaitingKey__Output as WaitingKey } from "../../generated/lockstep/v1/WaitingKey.ts";
import type { Host } from "../../host.ts";
import { authorOf, prepare, type Run, subcommand, table } from "../terminal/command.ts";
import { askForYes } from "../terminal/confirm.ts";
import { instant } from "./log.ts";

export type Role = "device" | "frontend" | "operator";

const CALLED = { device: "a device", frontend: "a front end", operator: "an operator" } as const;

interface KeyFlags {
  readonly cert?: string;
  readonly keyFingerprint?: string;
}

/** What a front end may use, as the request has it. */
interface Access {
  readonly repositories: string[];
  readonly readOnly: boolean;
}

/** Makes the subcommand `trust`. It has more flags for front ends. */
export function trustCommand(host: Host, role: Role): Command {
  const example =
    role === "frontend" ? "frontend trust web --cert web.pem --repositories 'team/*'" : `${role} trust NAME`;
  const command = subcommand(
    "trust",
    `let ${CALLED[role]} in: with the key that waits, or the one given`,
    `lockstep ${example}`,
    role,
  )
    .argument("<name>")
    .option("--cert <FILE>", "its certificate, PEM")
    .option("--key-fingerprint <F>", "the fingerprint of its key, such as sha256:…");
  if (role === "frontend")
    command
      .option("--repositories <GLOB...>", "the repositories that it may use: names, * stands for any characters")
      .option("--read-only", "it may only read")
      .option("--unlimited", "it may use all repositories, and write");
  return command.action(
    async (
      name: string,
      flags: KeyFlags & { repositories?: string[]; readOnly?: boolean; unlimited?: boolean; json?: boolean },
    ) => {
      const run = prepare(host, role, flags as Record<string, unknown>);
      await trust(run, role, name, { ...(await keyOf(host, flags)), ...accessOf(flags) });
    },
  );
}

function accessOf(flags: { repositories?: string[]; readOnly?: boolean; unlimited?: boolean }): { access?: Access } {
  const { repositories = [], readOnly = false, unlimited = false } = flags;
  if (unlimited && (readOnly || repositories.length > 0))
    throw new LockstepError("USAGE", "--unlimited contradicts --repositories and --read-only; give one of them.");
  return unlimited || readOnly || repositories.length > 0 ? { access: { repositories, readOnly } } : {};
}

/** Reads the key that the flags name. Throws USAGE if the file cannot be read. */
export async function keyOf(
  host: Host,
  { cert, keyFingerprint }: KeyFlags,
): Promise<{ certificate: string; fingerprint: string }> {
  if (cert !== undefined && keyFingerprint !== undefined)
    throw new LockstepError("USAGE", "Give either --cert or --key-fingerprint, not both.");
  if (cert === undefined) return { certificate: "", fingerprint: keyFingerprint ?? "" };
  const certificate = await readFile(resolve(host.cwd, cert), "utf8").catch((cause: Error) => {
    throw new LockstepError("USAGE", `The file of --cert cannot be read (${cause.message}); correct its path.`, {
      cause,
    });
  });
  return { certificate, fingerprint: "" };
}

/** Lets a name in with a certificate or a fingerprint, and prints its keys. Throws the errors of `TrustKey`. */
export async function trust(
  run: Run,
  role: Role,
  name: string,
  request: { certificate: string; fingerprint: string; access?: Access },
): Promise<void> {
  using client = await run.connect();
  const asked = { role, name, author: authorOf(run.host), ...request };
  const { identity, fingerprints } = await client.call("TrustKey", asked, run.patience);
  run.print({ ...(identity && documentOf(identity)), now_trusted: fingerprints }, describeIdentity(identity));
}

/** Makes the subcommand `revoke` for identities of that role. */
export function revokeCommand(host: Host, role: Role): Command {
  return subcommand(
    "revoke",
    `shut ${CALLED[role]} out, or one of its keys: its connections end everywhere within a second`,
    `lockstep ${role} revoke NAME --reason "stolen"`,
    role,
  )
    .argument("<name>")
    .requiredOption("--reason <TEXT>", "why; it stays in the audit")
    .option("--key <F>", "only the key with this fingerprint")
    .option("--yes", "do it without a question")
    .action(async (name: string, flags: { reason: string; key?: string; yes?: boolean }) => {
      const run = prepare(host, role, flags as unknown as Record<string, unknown>);
      using client = await run.connect();
      if (flags.yes !== true) {
        const { identities } = await client.call("ListIdentities", { role, name }, run.patience);
        const [identity] = identities;
        if (run.json) run.print(identity ? documentOf(identity) : {}, "");
        else run.host.stderr.write(`${describeIdentity(identity)}\n`);
        await askForYes(run);
      }
      const { reason, key = "" } = flags;
      const asked = { role, name, reason, fingerprint: key, author: authorOf(host) };
      const { identity, fingerprints } = await client.call("RevokeKey", asked, run.patience);
      run.print({ ...(identity && documentOf(identity)), now_revoked: fingerprints }, describeIdentity(identity));
    });
}

/** Makes the subcommand `show` for identities of that role. */
export function showCommand(host: Host, role: "frontend" | "operator"): Command {
  return subcommand("show", `show the keys of ${CALLED[role]}`, `lockstep ${role} show NAME`, role)
    .argument("<name>")
    .action(async (name: string, flags) => {
      const run = prepare(host, role, flags);
      using client = await run.connect();
      const { identities, waiting } = await client.call("ListIdentities", { role, name }, run.patience);
      if (identities.length + waiting.length === 0)
        throw new LockstepError(
          "KEY_NOT_FOUND",
          `The registry has no ${role} ${name}; \`lockstep ${role} list\` shows the names.`,
        );
      const document = {
        ...documentOf(identities[0] ?? emptyIdentity(role, name)),
        waiting: waiting.map(documentOfWaiting),
      };
      run.print(document, [describeIdentity(identities[0]), describeWaiting(waiting)].filter(Boolean).join("\n\n"));
    });
}

/** Makes the subcommand `list` for identities of that role. */
export function listCommand(host: Host, role: "frontend" | "operator"): Command {
  return subcommand(
    "list",
    `list the ${role === "frontend" ? "front ends" : "operators"}`,
    `lockstep ${role} list`,
    role,
  ).action(async (flags) => {
    const run = prepare(host, role, flags);
    using client = await run.connect();
    const { identities, waiting } = await client.call("ListIdentities", { role }, run.patience);
    const rows = identities.map((each) => [each.name, describeTrust(each), describeAccess(each)]);
    run.print(
      { [`${role}s`]: identities.map(documentOf), waiting: waiting.map(documentOfWaiting) },
      [table([role, "keys", "may use"], rows), describeWaiting(waiting)].filter(Boolean).join("\n\n"),
    );
  });
}

function emptyIdentity(role: string, name: string): Identity {
  return { role, name, keys: [], repositories: [], readOnly: false };
}

/** Returns a name with its keys as --json prints it. */
export function documentOf(identity: Identity) {
  const { role, name, keys, repositories, readOnly } = identity;
  const limits =
    role === "frontend" ? { repositories: repositories.length > 0 ? repositories : "all", read_only: readOnly } : {};
  return { role, name, ...limits, keys: keys.map(documentOfKey) };
}

/** Returns a key as --json prints it. */
export function documentOfKey({
  kind,
  fingerprint,
  trusted,
  enrolledBy,
  enrolledAt,
  seenAt,
  revokedBy,
  revokedAt,
  reason,
}: Key) {
  return {
    ...{ kind, fingerprint },
    state: trusted ? "trusted" : "revoked",
    since: instant((trusted ? enrolledAt : revokedAt) ?? enrolledAt),
    by: trusted ? enrolledBy : revokedBy,
    reason: trusted ? null : reason,
    last_seen: seenAt && instant(seenAt),
  };
}

/** Returns a key that nobody has trusted yet as --json prints it. */
export function documentOfWaiting({ role, name, kind, fingerprint, seenBy, source, since, seenAt }: WaitingKey) {
  return {
    ...{ role, name, kind, fingerprint },
    seen_by: seenBy,
    source,
    since: instant(since),
    last_seen: instant(seenAt),
  };
}

/** Returns the keys of a name as text. */
export function describeIdentity(identity: Identity | null | undefined): string {
  if (!identity) return "";
  const { role, name, keys } = identity;
  const rows = keys.map((key) => {
    const { kind, fingerprint, state, since, by, reason, last_seen } = documentOfKey(key);
    const what = `${state} since ${since} by ${by}${reason ? ` (${reason})` : ""}`;
    return [kind, fingerprint, what, last_seen ?? "never"];
  });
  const access = role === "frontend" ? ` It may use ${describeAccess(identity)}.` : "";
  return `${role} ${name}: ${describeTrust(identity)}.${access}\n${table(["kind", "key", "state", "last seen"], rows)}`;
}

function describeTrust({ keys }: Identity): string {
  const trusted = keys.filter((key) => key.trusted).length;
  const revoked = keys.length - trusted;
  if (trusted === 0) return "no trusted key, it is refused";
  return `${trusted === 1 ? "one trusted key" : `${trusted} trusted keys`}${revoked > 0 ? `, ${revoked} revoked` : ""}`;
}

function describeAccess({ role, repositories, readOnly }: Identity): string {
  if (role !== "frontend") return "everything";
  return `${repositories.length > 0 ? repositories.join(", ") : "all repositories"}${readOnly ? ", read-only" : ""}`;
}

/** Returns revoked keys that somebody still shows as text; nothing if nobody does. */
export function describeRevoked(keys: readonly Key[]): string {
  if (keys.length === 0) return "";
  const rows = keys.map(({ role, name, fingerprint, revokedAt, seenAt }) => [
    `${role} ${name}`,
    fingerprint,
    instant(revokedAt),
    instant(seenAt),
  ]);
  return `These keys were revoked, and somebody still tries to connect with them.\n${table(["name", "key", "revoked", "last tried"], rows)}`;
}

/** Returns the keys that wait as text; nothing if none does. */
export function describeWaiting(waiting: readonly WaitingKey[]): string {
  if (waiting.length === 0) return "";
  const rows = waiting.map(({ role, name, fingerprint, seenBy, source, since }) => [
    `${role} ${name}`,
    fingerprint,
    instant(since) ?? "",
    source === "" ? `at its start` : `${seenBy}, from ${source}`,
  ]);
  return (
    "These keys are refused, because nobody has trusted them. Compare the fingerprint with the one on that machine; then `lockstep device trust NAME`\n" +
    `(or \`frontend\`, \`operator\`) lets it in.\n${table(["name", "key", "since", "seen by"], rows)}`
  );
}

// The commands about the keys of a name, the same for devices, front ends and operators: trust, revoke, show, list.

import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import { LockstepError } from "../../errors.ts";
import type { Host } from "../../host.ts";
import { authorOf, prepare, type Run, subcommand } from "../terminal/command.ts";
import { askForYes } from "../terminal/confirm.ts";
import { lookOf, shown, table } from "../terminal/styled.ts";
import {
  describeAccess,
  describeIdentity,
  describeTrust,
  describeWaiting,
  documentOf,
  documentOfWaiting,
  emptyIdentity,
} from "../text/identity.ts";
import { connectToChange } from "./owner-client.ts";

export type Role = "device" | "frontend" | "operator";

const CALLED = { device: "a device", frontend: "a front end", operator: "an operator" } as const;

interface KeyFlags {
  readonly cert?: string;
  readonly keyFingerprint?: string;
  /** Only of devices. */
  readonly sshKey?: string;
  readonly sshHostKey?: string;
}

/** The key of a request, at most one of the four. */
interface GivenKey {
  readonly certificate: string;
  readonly fingerprint: string;
  readonly sshKey: string;
  readonly sshHostKey: string;
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
  if (role === "device")
    command
      .option("--ssh-key <FILE>", "its ssh key, the file whose name ends in .pub")
      .option("--ssh-host-key <FILE>", "the host key of its sshd, the file whose name ends in .pub");
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

/** Reads the key that the flags name. Throws USAGE if they name several, or if the file cannot be read. */
export async function keyOf(host: Host, flags: KeyFlags): Promise<GivenKey> {
  const { cert, keyFingerprint: fingerprint = "", sshKey, sshHostKey } = flags;
  const given = [cert, flags.keyFingerprint, sshKey, sshHostKey].filter((each) => each !== undefined);
  if (given.length > 1)
    throw new LockstepError("USAGE", "Several keys are given; give one of --cert, --key-fingerprint and the others.");
  return {
    fingerprint,
    certificate: await contentOf(host, "--cert", cert),
    sshKey: await contentOf(host, "--ssh-key", sshKey),
    sshHostKey: await contentOf(host, "--ssh-host-key", sshHostKey),
  };
}

async function contentOf(host: Host, flag: string, file: string | undefined): Promise<string> {
  if (file === undefined) return "";
  return await readFile(resolve(host.cwd, file), "utf8").catch((cause: Error) => {
    throw new LockstepError("USAGE", `The file of ${flag} cannot be read (${cause.message}); correct its path.`, {
      cause,
    });
  });
}

/** Lets a name in with a certificate or a fingerprint, and prints its keys. Throws the errors of `TrustKey`. */
export async function trust(
  run: Run,
  role: Role,
  name: string,
  request: GivenKey & { access?: Access },
): Promise<void> {
  await using client = await connectToChange(run);
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
      await using client = await connectToChange(run);
      if (flags.yes !== true) {
        const { identities } = await client.call("ListIdentities", { role, name }, run.patience);
        const [identity] = identities;
        if (run.json) run.print(identity ? documentOf(identity) : {}, "");
        else {
          const { env, stderr } = run.host;
          stderr.write(`${shown(describeIdentity(identity), lookOf(env, stderr))}\n`);
        }
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
      await using client = await connectToChange(run);
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
    await using client = await connectToChange(run);
    const { identities, waiting } = await client.call("ListIdentities", { role }, run.patience);
    const rows = identities.map((each) => [each.name, describeTrust(each), describeAccess(each)]);
    run.print(
      { [`${role}s`]: identities.map(documentOf), waiting: waiting.map(documentOfWaiting) },
      [table([role, "keys", "may use"], rows), describeWaiting(waiting)].filter(Boolean).join("\n\n"),
    );
  });
}

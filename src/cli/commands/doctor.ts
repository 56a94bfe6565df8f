import type { Command } from "commander";
import { lookAtAddress } from "../../doctor/addresses.ts";
import { lookAtCertificate } from "../../doctor/certificate.ts";
import { lookAtClock, lookAtDatabase, lookAtLogin } from "../../doctor/database.ts";
import { lookAtDisk, lookAtLock, lookAtNames, lookAtRoot, lookAtSockets } from "../../doctor/directories.ts";
import { find, type Look } from "../../doctor/finding.ts";
import { lookAtHooks } from "../../doctor/hooks.ts";
import { lookAtGit, lookAtNode, lookAtShim } from "../../doctor/programs.ts";
import { lookAtReplicas } from "../../doctor/replicas.ts";
import { lookAtSsh } from "../../doctor/ssh.ts";
import { lookAtUnknown } from "../../doctor/unknown.ts";
import { ExitCode } from "../../errors.ts";
import type { Host } from "../../host.ts";
import { Exit, prepare, subcommand } from "../terminal/command.ts";
import { table } from "../terminal/styled.ts";

const CHECKS: readonly (readonly [string, Look])[] = [
  ["node", lookAtNode],
  ["git", lookAtGit],
  ["shim", lookAtShim],
  ["root", lookAtRoot],
  ["hooks", lookAtHooks],
  ["replicas", lookAtReplicas],
  ["names", lookAtNames],
  ["unknown", lookAtUnknown],
  ["lock", lookAtLock],
  ["disk", lookAtDisk],
  ["sockets", lookAtSockets],
  ["certificate", lookAtCertificate],
  ["ssh", lookAtSsh],
  ["database", lookAtDatabase],
  ["login", lookAtLogin],
  ["clock", lookAtClock],
  ["listen", lookAtAddress("listen")],
  ["git-listen", lookAtAddress("git-listen")],
  ["http-listen", lookAtAddress("http-listen")],
];

const STYLES = { ok: "good", warning: "notice", missing: "bad" } as const;

/** Makes the command `lockstep doctor`. */
export function doctorCommand(host: Host): Command {
  return subcommand(
    "doctor",
    "check the needs of `serve` on this machine, with a remedy for each problem",
    "lockstep doctor --device repo001 --root /srv/git --tls-cert repo001.pem --tls-key repo001.key --tls-ca ca.pem",
    "serve",
  ).action(async (flags) => {
    const run = prepare(host, "serve", flags);
    const findings = await Promise.all(CHECKS.map(([check, look]) => find(check, () => look(run.config, host))));
    const ok = findings.every(({ state }) => state !== "missing");
    const rows = findings.map(({ check, state, said }) => [{ style: STYLES[state], text: state }, check, said]);
    run.print({ ok, checks: findings }, table(["state", "check", "what"], rows));
    if (!ok) throw new Exit(ExitCode.FAILED);
  });
}

// Starts the command of a systemd unit in namespaces, with what its sandbox leaves it: a read-only machine, some
// writable directories, a /tmp of its own, no capabilities, no new privileges. systemd itself takes no part.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { RunningContainer } from "./pods/container.ts";
import { readImage } from "./pods/image.ts";

/** The settings of a unit by name. A setting that stands twice has several values. */
export type Unit = ReadonlyMap<string, readonly string[]>;

/** Returns the path of a file of deploy/systemd. */
export function unitFile(name: string): string {
  return fileURLToPath(new URL(`../../deploy/systemd/${name}`, import.meta.url));
}

/** Reads NAME=VALUE lines: a unit, or a file of variables. */
export async function readSettings(name: string): Promise<Unit> {
  const settings = new Map<string, string[]>();
  for (const [, key, value] of (await readFile(unitFile(name), "utf8")).matchAll(/^(\w+)=(.*)$/gm))
    settings.set(key as string, [...(settings.get(key as string) ?? []), value as string]);
  return settings;
}

export interface UnitPlace {
  /** The directories of this machine that the unit has at these paths. */
  readonly directories: Readonly<Record<string, string>>;
  /** The files /etc/hosts and /etc/passwd of the unit. */
  readonly files: Readonly<Record<string, string>>;
  readonly network: string;
  readonly dir: string;
}

/**
 * Starts a unit with the variables of its EnvironmentFile. strace counts its system calls and those of its children in
 * /tmp/calls, and signals reach the command as the child of process 1.
 */
export async function startUnit(
  name: string,
  { directories, files, network, dir }: UnitPlace,
): Promise<RunningContainer> {
  const unit = await readSettings(`${name}.service`);
  const one = (key: string) => unit.get(key)?.at(-1);
  const image = readImage("Dockerfile");
  const variables = await readSettings((one("EnvironmentFile") as string).replace("/etc/lockstep/", ""));
  const writable = [one("ReadWritePaths"), one("RuntimeDirectory") && `/run/${one("RuntimeDirectory")}`, "/tmp"];
  const command = (one("ExecStart") as string).replace("/usr/local/bin/", "").split(" ");
  return await RunningContainer.start({
    spec: {
      name,
      securityContext: {
        allowPrivilegeEscalation: one("NoNewPrivileges") !== "yes",
        readOnlyRootFilesystem: one("ProtectSystem") === "strict",
        capabilities: { drop: one("CapabilityBoundingSet") === "" ? ["ALL"] : [] },
      },
    },
    security: { runAsUser: 1_000, runAsGroup: 1_000, fsGroup: 1_000 },
    image,
    env: {
      PATH: image.env.PATH as string,
      ...Object.fromEntries([...variables].map(([key, [value = ""]]) => [key, value])),
    },
    argv: ["strace", "-f", "-qq", "-c", "-o", "/tmp/calls", ...command],
    mounts: [
      ...Object.entries(directories).map(([target, source]) => ({
        ...{ source, target, isFile: false },
        readOnly: !writable.includes(target),
      })),
      ...Object.entries(files).map(([target, source]) => ({ source, target, readOnly: true, isFile: true })),
    ],
    network,
    dir,
  });
}

/** Ends a unit as systemd does: SIGTERM for the command, not for its children. Returns its exit code. */
export async function stopUnit(unit: RunningContainer): Promise<number | null> {
  await unit.exec(["sh", "-c", "kill -TERM $(cut -d ' ' -f 1 /proc/1/task/1/children)"]);
  return await unit.ended;
}

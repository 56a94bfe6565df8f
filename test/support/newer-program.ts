// Makes a program of a later schema level from this one: its own copy of dist/, with further migrations beside it.
import { cp, mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Device } from "./cluster-device.ts";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

/** Makes the program in a new folder. `migrations`: file name → SQL. Returns the path of its main.js. */
export async function newerProgram(dir: string, migrations: Readonly<Record<string, string>>): Promise<string> {
  await mkdir(dir);
  for (const part of ["dist", "migrations", "proto", "package.json"])
    await cp(join(PROJECT, part), join(dir, part), { recursive: true, verbatimSymlinks: true });
  await symlink(join(PROJECT, "node_modules"), join(dir, "node_modules"));
  for (const [file, sql] of Object.entries(migrations)) await writeFile(join(dir, "migrations", file), sql);
  return join(dir, "dist/main.js");
}

/** Returns a device on the same root and with the same settings, which runs another program. */
export function onProgram({ demo }: Device, program: string): Device {
  const [node, , ...args] = demo.argv as [string, string, ...string[]];
  return new Device({ ...demo, argv: [node, program, ...args] });
}

// The traps of a stranger who may start the shim.
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { playSidecar, type ShimPeer } from "./hook-frames.ts";
import type { Site } from "./shim-site.ts";

export const PROGRAMS = ["lockstep-upload-pack", "lockstep-receive-pack"];

export const isRoot = process.getuid?.() === 0;

/** A directory of a stranger's: a repository whose configuration leads to a socket of his, which says `script`. */
export async function trap(site: Site, script: (peer: ShimPeer) => void) {
  const dir = join(site.dir, "stranger");
  await mkdir(dir);
  site.git(dir, "init", "--quiet", "--bare", join(dir, "trap.git"));
  site.git(join(dir, "trap.git"), "config", "lockstep.socketDir", dir);
  let asked = 0;
  const sidecar = await playSidecar(join(dir, "hook.sock"), (peer) => {
    asked += 1;
    script(peer);
  });
  return {
    repository: join(dir, "trap.git"),
    asked: () => asked,
    [Symbol.asyncDispose]: () => sidecar[Symbol.asyncDispose](),
  };
}

export const runs = (site: Site) => Buffer.from(`/bin/sh\0-c\0touch '${join(site.dir, "owned")}'\0`);

export const owned = (site: Site) =>
  readFile(join(site.dir, "owned")).then(
    () => true,
    () => false,
  );

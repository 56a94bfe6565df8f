// The slow path between devices, for a peer without the pack stream: stock `git fetch` over https with the device's own
// certificate. It takes exact ids into a quarantine and writes no ref of the replica.
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LockstepError } from "../../errors.ts";
import { linkSignals } from "../../io/signals.ts";
import { WAITS } from "../../waits.ts";
import { gitCommand } from "../command/build.ts";
import type { AsDeviceHttps } from "../command/credentials.ts";
import { finished, type GitContext, runCommand } from "../process.ts";
import { listenForNews, type PackProgress, reportProgress } from "../progress.ts";
import { Silence } from "../silence.ts";
import { type Incoming, type Quarantine, quarantined } from "./quarantine.ts";

/** Files of the device's own certificate and key, and of the authorities that it trusts. */
export type GitCredentials = Omit<AsDeviceHttps, "credential">;

export interface GitPeer {
  /** host:port. git checks that the certificate is for this host. */
  readonly address: string;
  /** SHA-256 of the public key of the device that must answer, in base64. */
  readonly publicKey: string;
}

export interface GitFetchRequest extends Incoming {
  readonly peer: GitPeer;
  readonly credentials: GitCredentials;
  readonly name: string;
  readonly objectFormat: "sha1" | "sha256";
  readonly onProgress: (progress: PackProgress) => void;
  /** Called when git reports progress, its own or the peer's. */
  readonly onWork?: () => void;
  /** Called when the first object is here. */
  readonly onArrival?: () => void;
}

/**
 * Brings `wants` and everything they need into the replica. Returns the number of bytes that came. Throws QUEUE_FULL
 * when the peer is busy, SOURCE_FAILED for other failures of git: then the replica is as before.
 */
export async function fetchWithGit(context: GitContext, gitDir: string, request: GitFetchRequest): Promise<number> {
  return await quarantined(context, gitDir, request, async (quarantine) => {
    const repository = await makeRepository(quarantine, request);
    const command = gitCommand(context, {
      operation: {
        kind: "fetch",
        wants: request.wants,
        objects: quarantine.objects,
        silentSeconds: Math.ceil(WAITS.gitSilentMs / 1000),
      },
      repository: { gitDir: repository, name: request.name },
      transport: { transport: "https", to: "device", ...request.peer },
      credential: { credential: "as-device", ...request.credentials },
    });
    using silence = new Silence();
    using link = linkSignals([request.signal, silence.signal]);
    const { signal } = link;
    const child = runCommand(context, repository, command, { signal, writes: true });
    const isNews = listenForNews();
    child.stderr.on("data", (chunk: Buffer) => {
      const said = chunk.toString("latin1");
      // The peer keeps the connection alive even when its work hangs. So only new messages count as work.
      if (!isNews(said)) return;
      silence.broken();
      request.onWork?.();
      reportProgress(said, (progress) => {
        const isReceiving = progress.phase === "receiving objects" && progress.objects < progress.totalObjects;
        silence.broken(isReceiving ? WAITS.gitStallMs : WAITS.fetchLastStepsMs);
        request.onArrival?.();
        request.onProgress(progress);
      });
    });
    child.stdout.resume();
    child.stdin.end(command.input);
    const { exitCode, stderr } = await finished(child);
    request.signal.throwIfAborted();
    if (silence.signal.aborted)
      throw new LockstepError("SOURCE_FAILED", `git fetch showed no work for ${silence.limitMs / 1000} s`);
    if (exitCode !== 0) throw refusedError(stderr, exitCode);
    return await bytesIn(join(quarantine.path, "pack"));
  });
}

/** Makes a repository whose only refs are `haves`. git offers these to the peer, and ends its walk there. */
async function makeRepository({ path }: Quarantine, { haves, objectFormat }: GitFetchRequest): Promise<string> {
  const repository = join(path, "fetch.git");
  await mkdir(repository);
  await mkdir(join(repository, "refs"));
  const format = objectFormat === "sha1" ? "0" : "1\n[extensions]\n\tobjectFormat = sha256";
  await writeFile(join(repository, "config"), `[core]\n\tbare = true\n\trepositoryFormatVersion = ${format}\n`);
  await writeFile(join(repository, "HEAD"), "ref: refs/heads/none\n");
  await writeFile(join(repository, "packed-refs"), haves.map((id) => `${id} refs/have/${id}\n`).join(""));
  return repository;
}

function refusedError(stderr: string, exitCode: number): LockstepError {
  // Text before a carriage return is progress.
  const lines = stderr.split("\n").map((line) => line.slice(line.lastIndexOf("\r") + 1).trim());
  const said = lines.filter(Boolean).slice(-3).join(" ").slice(0, 300) || `git fetch ended with ${exitCode}`;
  return /\b503\b/.test(stderr)
    ? new LockstepError("QUEUE_FULL", said, { details: { ask: "" } })
    : new LockstepError("SOURCE_FAILED", said);
}

async function bytesIn(directory: string): Promise<number> {
  const sizes = (await readdir(directory)).map(async (file) => (await stat(join(directory, file))).size);
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

// The slow path between devices, for a peer without the pack stream: stock `git fetch` over https with the device's own
// certificate. It takes exact ids into a quarantine and writes no ref of the replica.
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LockstepError } from "../../errors.ts";
import { linkSignals } from "../../io/signals.ts";
import { WAITS } from "../../waits.ts";
import { finished, type GitContext, spawnGit } from "../process.ts";
import { listenForNews, type PackProgress, reportProgress } from "../progress.ts";
import { Silence } from "../silence.ts";
import { type Incoming, type Quarantine, quarantined } from "./quarantine.ts";

/** Files of the device's own certificate and key, and of the authorities that it trusts. */
export interface GitCredentials {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

export interface GitPeer {
  /** host:port. git checks that the certificate is for this host. */
  readonly address: string;
  /** SHA-256 of the public key of the device that must answer, in base64. */
  readonly publicKey: string;
}

/** A git command line, its additional environment and its standard input. */
export interface FetchCommand {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly input: string;
}

/**
 * Returns the command that fetches `wants` from the repository `name` of a peer. Pure. It uses no configuration of the
 * machine or of a remote, only a URL, ids and credential files.
 */
export function fetchCommand(
  peer: GitPeer,
  credentials: GitCredentials,
  name: string,
  wants: readonly string[],
): FetchCommand {
  const config = {
    "http.sslCert": credentials.cert,
    "http.sslKey": credentials.key,
    "http.sslCAInfo": credentials.ca,
    "http.sslVersion": "tlsv1.3",
    "http.pinnedPubkey": `sha256//${peer.publicKey}`,
    "http.followRedirects": "false",
    "http.lowSpeedLimit": "1",
    "http.lowSpeedTime": String(Math.ceil(WAITS.gitSilentMs / 1000)),
    // Without this, git finds the replica through the alternate and lists all its refs: 1 s for 100,000.
    "core.alternateRefsCommand": "true",
    "core.fsync": "all",
    "fetch.unpackLimit": "1",
  };
  const options = [
    "--progress",
    "--no-tags",
    "--no-write-fetch-head",
    "--no-auto-maintenance",
    "--no-recurse-submodules",
  ];
  return {
    args: [
      ...Object.entries(config).flatMap(([key, value]) => ["-c", `${key}=${value}`]),
      "fetch",
      ...options,
      "--stdin",
      "--",
      `https://${peer.address}/${name}.git`,
    ],
    env: { GIT_ALLOW_PROTOCOL: "https" },
    input: wants.map((want) => `${want}\n`).join(""),
  };
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
    const { args, env, input } = fetchCommand(request.peer, request.credentials, request.name, request.wants);
    using silence = new Silence();
    using link = linkSignals([request.signal, silence.signal]);
    const { signal } = link;
    const child = spawnGit(context, repository, [...args], {
      env: { ...quarantine.env, ...env },
      signal,
      writes: true,
    });
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
    child.stdin.end(input);
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
  await mkdir(join(repository, "refs"), { recursive: true });
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

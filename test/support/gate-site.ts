// A gate before a bare repository, which tests call with stock git and raw HTTP.
import { once } from "node:events";
import { access, chmod, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, vi } from "vitest";
import { type Gate, type GateOptions, startGate } from "../../src/gate/gate.ts";
import { EVERYBODY } from "../../src/gate/users/users.ts";
import { readRanges } from "../../src/io/client-address.ts";
import { type GitSandbox, gitSandbox, processesAt } from "./git.ts";
import { soon } from "./soon.ts";

export const MIB = 1024 * 1024;
export const PUSH_TYPE = { "Content-Type": "application/x-git-receive-pack-request" };
export const FETCH_TYPE = { "Content-Type": "application/x-git-upload-pack-request" };

export const SOON = soon(5);

/** Writes an executable sh script. */
export async function script(path: string, body: string): Promise<void> {
  await writeFile(path, `#!/bin/sh\n${body}\n`);
  await chmod(path, 0o755);
}

/** The limits of a gate by default. */
export const GATE_LIMITS = {
  askingLimits: { requests: 1_024, perAddress: 128 },
  pushRefs: 50_000,
  pushLimiter: [],
  trustedProxies: readRanges(""),
  placeLimits: { requests: 64, perAddress: 8, waiting: 512, patienceMs: 30_000 },
  bodyLimits: { idleMs: 60_000, fetchBytes: 16 * MIB },
};

/** An answer of the sidecar that grants a read of a repository that never changed. */
export const GRANT = { unchangedMs: Number.POSITIVE_INFINITY };

export const untilExists = (path: string) => vi.waitFor(() => access(path), SOON);

/** A sandbox with a repository and a work tree. Disposal throws if a git process is left. */
export class GateSite implements AsyncDisposable {
  readonly sandbox: GitSandbox;
  /** The repository team/app that the gate serves. */
  readonly bare: string;
  /** A work tree whose `origin` is the URL of that repository at the gate. */
  readonly work: string;
  readonly realGit: string;
  /** The object format of the repository. */
  format: "sha1" | "sha256" = "sha1";
  gate!: Gate;
  /** Answers the gates of this site in place of the sidecar. */
  beforeRead: GateOptions["beforeRead"] = async () => GRANT;

  private constructor(sandbox: GitSandbox, bare: string, work: string, realGit: string) {
    this.sandbox = sandbox;
    this.bare = bare;
    this.work = work;
    this.realGit = realGit;
  }

  static async make(): Promise<GateSite> {
    const sandbox = await gitSandbox();
    const bare = await sandbox.bare("root/team/app.git");
    await mkdir(join(sandbox.dir, "bin"));
    await writeFile(join(sandbox.dir, "starts"), "");
    const realGit = `${await sandbox.git(["--exec-path"])}/git`;
    await script(join(sandbox.dir, "bin/git"), `echo "$*" >> '${sandbox.dir}/starts'\nexec '${realGit}' "$@"`);
    const work = await sandbox.workTree("work");
    const site = new GateSite(sandbox, bare, work, realGit);
    site.gate = await site.openGate();
    await sandbox.git(["remote", "add", "origin", `${site.gate.url}/team/app.git`], { cwd: work });
    return site;
  }

  /** Starts a gate on `root` below the sandbox. Its git writes every start into the file `starts`. */
  async openGate(options: Partial<GateOptions> = {}): Promise<Gate> {
    const { dir, env } = this.sandbox;
    return await startGate({
      host: "127.0.0.1",
      port: 0,
      root: join(dir, "root"),
      socketDir: "/nowhere/lockstep",
      beforeRead: (name, given) => this.beforeRead(name, given),
      users: EVERYBODY,
      hostNames: new Set(),
      ...GATE_LIMITS,
      log: { info: () => {}, warn: () => {}, error: () => {} },
      env: { PATH: `${dir}/bin:${env.PATH}`, HOME: dir },
      ...options,
    });
  }

  /** Puts another, empty repository at the place of team/app. */
  async recreate(format = "--object-format=sha1"): Promise<void> {
    await rm(this.bare, { recursive: true });
    await this.sandbox.git(["init", "--quiet", "--bare", "--initial-branch=main", format, this.bare]);
    this.format = format.endsWith("sha256") ? "sha256" : "sha1";
  }

  async hook(name: string, body: string): Promise<void> {
    await script(join(this.bare, "hooks", name), body);
  }

  async refs(): Promise<string> {
    return await this.sandbox.git(["for-each-ref"], { cwd: this.bare });
  }

  /** Returns the names of the files below objects/, and of leftover directories tmp_*. */
  async objects(): Promise<string[]> {
    const entries = await readdir(join(this.bare, "objects"), { recursive: true, withFileTypes: true });
    return entries.filter((entry) => !entry.isDirectory() || entry.name.startsWith("tmp_")).map(({ name }) => name);
  }

  /** Returns how often a gate has started git. */
  async starts(): Promise<number> {
    return (await readFile(join(this.sandbox.dir, "starts"), "utf8")).split("\n").length - 1;
  }

  async untilGitRuns(): Promise<void> {
    await vi.waitFor(async () => expect(await processesAt(this.bare)).not.toEqual([]), SOON);
  }

  async untilNoGitRuns(): Promise<void> {
    await vi.waitFor(async () => expect(await processesAt(this.bare)).toEqual([]), SOON);
  }

  open(path: string, options: RequestOptions = {}): ClientRequest {
    const { hostname, port } = new URL(this.gate.url);
    // `path` is sent unchanged. A URL object would resolve the dots that some tests need.
    return httpRequest({ hostname, port, path, ...options });
  }

  async fetchRaw(path: string, options: RequestOptions = {}, body: string | Buffer = "") {
    const request = this.open(path, options);
    request.end(body);
    const [response] = (await once(request, "response")) as [IncomingMessage];
    return { status: response.statusCode, headers: response.headers, body: await text(response) };
  }

  /** Returns the body of a push that creates `ref` at the commit `id` of the work tree. */
  async pushBody(ref: string, id: string): Promise<Buffer> {
    const args = ["pack-objects", "--revs", "--stdout", "-q"];
    const { bytes } = await this.sandbox.run(args, { cwd: this.work, input: `${id}\n` });
    const command = `${"0".repeat(40)} ${id} ${ref}\0 report-status side-band-64k`;
    return Buffer.concat([Buffer.from(`${(command.length + 4).toString(16).padStart(4, "0")}${command}0000`), bytes]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.gate[Symbol.asyncDispose]();
    const left = await processesAt(this.bare);
    await this.sandbox[Symbol.asyncDispose]();
    expect(left).toEqual([]);
  }
}

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Ended, ended, PROGRAM } from "../support/cluster-device.ts";
import { type Environment, EXIT, expectSentence, runHere } from "../support/command-line.ts";
import { createDatabase } from "../support/database.ts";
import { ada, cluster, one, startClusterOfFile, two } from "../support/file-cluster.ts";

startClusterOfFile();

const lockstep = (args: readonly string[], env?: Environment): Promise<Ended> => ended(one.command(args, env));
const COMMANDS = [
  "serve",
  "demo",
  "gate",
  "repo create",
  "repo list",
  "repo show",
  "status",
  "sync",
  "write-lock",
  "lock",
  "log",
  "verify",
  "command list",
  "command show",
  "command enqueue",
  "doctor",
  "shell",
  "migrate",
  "version",
];

describe("every command", () => {
  it.each(["", "repo", ...COMMANDS])("shows an example with --help: %s", async (command) => {
    const { code, stdout, stderr } = await runHere([...command.split(" ").filter(Boolean), "--help"]);
    expect({ code, stderr }).toEqual({ code: EXIT.OK, stderr: "" });
    expect(stdout).toMatch(new RegExp(`^Usage: lockstep ${command}`));
    expect(stdout).toMatch(new RegExp(`\\nExample:\\n  .*lockstep ${command}`));
    // `serve` and `gate` run until they are stopped, and `shell` serves git, so they print no document.
    const runs = ["serve", "gate", "shell"].includes(command);
    if (COMMANDS.includes(command)) expect(stdout.includes("--json")).toBe(!runs);
  });

  it("is shown by --help of the program", async () => {
    const { stdout } = await runHere(["--help"]);
    for (const command of COMMANDS) expect(stdout).toMatch(new RegExp(`^  ${command.split(" ")[0]} `, "m"));
  });

  it.each(COMMANDS)("refuses an unknown flag, as a sentence and as a document: %s", async (command) => {
    const args = [...command.split(" "), "--no-such-flag"];
    const refused = await runHere(args);
    expect(refused.code).toBe(EXIT.USAGE);
    expectSentence(refused, "--no-such-flag", `\`lockstep ${command} --help\``);
    const { code, stdout, stderr } = await runHere([...args, "--json"]);
    expect({ code, stderr }).toEqual({ code: EXIT.USAGE, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "USAGE", message: expect.stringContaining("no-such") } });
  });

  it.each([
    [["no-such-command"], "Unknown command"],
    [["repo", "no-such-command"], "Unknown command"],
    [["repo", "create"], "Missing required argument 'name'"],
    [["repo", "create", "a", "b"], "Too many arguments"],
    [["sync", "demo", "--from"], "argument missing"],
    [["log", "demo", "--limit", "many"], "--limit must be a number"],
    [["log", "demo", "--before", "-1"], "--before must be a number"],
    [["demo", "--devices", "0"], "--devices must be a number from 1 to 20"],
    [["gate", "--root", "/", "--gate-listen", "127.0.0.1:99999"], "HOST:PORT"],
    [["gate"], "--root .or LOCKSTEP_ROOT. is missing"],
    [["migrate"], "--database-url .or LOCKSTEP_DATABASE_URL. is missing"],
    [["migrate", "--database-url", "host=x password=secret"], "must not carry a password"],
    [["migrate", "--database-url", "mysql://x"], "must begin with postgres://"],
    [["log", "demo", "--limit", "0"], "--limit is from 1 to 1000, not 0"],
    [["log", "demo", "--limit", "1001"], "--limit is from 1 to 1000, not 1001"],
    [["serve"], "--device .or LOCKSTEP_DEVICE. is missing"],
  ])("refuses what makes no sense: %j", async (args, sentence) => {
    const refused = await runHere(args);
    expect(refused.code).toBe(EXIT.USAGE);
    expectSentence(refused, new RegExp(sentence));
    expect(refused.stderr).not.toContain("secret");
  });
});

it.each(["--version", "-V"])("%s says which version this is", async (flag) => {
  const { version } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
  expect(await runHere([flag])).toMatchObject({ code: EXIT.OK, stdout: `lockstep ${version}\n`, stderr: "" });
});

describe("copies on more devices than there are", () => {
  it.each([["create"], ["set"]])("are refused by `repo %s`", async (verb) => {
    const repository = `copies/${verb}`;
    if (verb === "set") await lockstep(["repo", "create", repository]);
    const refused = await lockstep(["repo", verb, repository, "--min-copies", "9"]);
    expect(refused.code).toBe(EXIT.USAGE);
    expectSentence(refused, "9 copies need 9 devices, but there would be replicas on 3");
    expect((await lockstep(["repo", verb, repository, "--min-copies", "3"])).code).toBe(EXIT.OK);
  });
});

describe("--json", () => {
  /** What `args --json` printed, which must be one document and nothing else. */
  async function document(args: string[], code = EXIT.OK, env?: Environment) {
    const printed = await lockstep([...args, "--json"], env);
    expect({ code: printed.code, stderr: printed.stderr }).toEqual({ code, stderr: "" });
    expect(printed.stdout.endsWith("}\n")).toBe(true);
    return JSON.parse(printed.stdout);
  }

  it("prints one document for each command that answers", async () => {
    const repository = "json/one";
    expect(await document(["repo", "create", repository])).toMatchObject({
      name: repository,
      version: 0,
      object_format: "sha1",
      replicas: [{ device: "repo001", state: "active" }, { device: "repo002" }, { device: "repo003" }],
    });
    const tip = await ada.commit();
    await ada.land(two.url(repository), `${tip}:refs/heads/main`);
    expect(await document(["sync", repository])).toMatchObject({ repository, version: 1 });
    expect(await document(["sync", repository])).toMatchObject({ version: 1, already_current: true, refs_changed: 0 });
    const entry = {
      version: 1,
      device: "repo002",
      updates: [{ ref: "refs/heads/main", old: null, new: tip }],
      more: 0,
    };
    expect(await document(["log", repository])).toMatchObject({ repository, log: [entry] });
    expect(await document(["log", repository, "--before", "1"])).toEqual({ repository, log: [], log_base: 0 });
    expect(await document(["repo", "show", repository])).toMatchObject({ name: repository, version: 1, log: [entry] });
    expect(await document(["repo", "list"])).toMatchObject({
      repositories: expect.arrayContaining([{ name: repository, version: 1 }]),
    });
    expect(await document(["verify", repository])).toMatchObject({ repository, ok: true, refs: 2, differences: [] });
    expect(await document(["status"])).toMatchObject({
      devices: [{ name: "repo001", live: true }, { name: "repo002" }, { name: "repo003" }],
    });
    const { version } = JSON.parse(await readFile(new URL("../../package.json", import.meta.url), "utf8"));
    expect(await document(["version"])).toMatchObject({ lockstep: version, git: expect.stringMatching(/^2\./) });
    const url = { LOCKSTEP_DATABASE_URL: cluster.databaseUrl };
    expect(await document(["migrate"], EXIT.OK, url)).toMatchObject({
      from: expect.any(Number),
      to: expect.any(Number),
    });
  });

  it("prints one document for each kind of failure", async () => {
    const failure = (code: string) => ({ error: { code, message: expect.stringMatching(/\.$/), details: {} } });
    const wrong = { LOCKSTEP_SOCKET_DIR: "/no/such" };
    expect(await document(["log", "no/such"], EXIT.FAILED)).toMatchObject(failure("REPOSITORY_NOT_FOUND"));
    expect(await document(["repo", "create", "demo"], EXIT.FAILED)).toMatchObject(failure("REPOSITORY_EXISTS"));
    expect(await document(["repo", "show", "../x"], EXIT.USAGE)).toMatchObject(failure("INVALID_NAME"));
    expect(await document(["sync", "no/such"], EXIT.FAILED)).toMatchObject(failure("REPOSITORY_NOT_FOUND"));
    expect(await document(["status"], EXIT.NOT_NOW, wrong)).toMatchObject(failure("SIDECAR_UNAVAILABLE"));
    expect(await document(["serve"], EXIT.NOT_NOW, one.demo.env)).toMatchObject(failure("ROOT_LOCKED"));
    expect(await document(["demo", "--devices", "x"], EXIT.USAGE)).toMatchObject(failure("USAGE"));
  });

  it("tells what verify found, with exit code 1", async () => {
    await lockstep(["repo", "create", "json/meddled"]);
    const cwd = one.gitDir("json/meddled");
    await cluster.git.git(["-c", "safe.directory=*", "symbolic-ref", "HEAD", "refs/heads/other"], { cwd });
    expect(await document(["verify", "json/meddled"], EXIT.FAILED)).toMatchObject({
      ok: false,
      differences: [{ ref: "HEAD", on_disk: "ref: refs/heads/other", in_log: "ref: refs/heads/main" }],
    });
  });
});

describe("doctor", () => {
  it("finds a device that runs to be well, its own sidecar being where it listens", async () => {
    const { code, stdout, stderr } = await lockstep(["doctor"], one.demo.env);
    expect({ code, stderr }, stdout).toEqual({ code: EXIT.OK, stderr: "" });
    expect(stdout).toMatch(/^ok +root +\S+\/repo001\/repositories$/m);
    expect(stdout).toMatch(/^ok +database +PostgreSQL \d+/m);
    for (const check of ["listen", "git-listen", "http-listen"])
      expect(stdout).toMatch(
        new RegExp(`^ok +${check} +127\\.0\\.0\\.1:\\d+, held by the sidecar that runs here$`, "m"),
      );
  });

  it("does not mistake the sidecar of another device for its own", async () => {
    const { LOCKSTEP_LISTEN = "", LOCKSTEP_GIT_LISTEN = "", LOCKSTEP_SOCKET_DIR = "" } = two.demo.env;
    const env = { ...one.demo.env, LOCKSTEP_LISTEN, LOCKSTEP_GIT_LISTEN, LOCKSTEP_SOCKET_DIR };
    const { code, stdout } = await lockstep(["doctor"], env);
    expect(code).toBe(EXIT.FAILED);
    for (const check of ["listen", "git-listen"])
      expect(stdout).toMatch(new RegExp(`^missing +${check} +.*\\(EADDRINUSE\\); end the process that has it`, "m"));
  });
});

describe("other commands refuse", () => {
  it("a socket directory that is too long", async () => {
    const refused = await lockstep(["status", "--socket-dir", `/tmp/${"x".repeat(120)}`]);
    expect(refused.code).toBe(EXIT.USAGE);
    expectSentence(refused, "too long for a unix socket");
  });

  it("an address that somebody has, for the gate", async () => {
    const refused = await lockstep(["gate", "--root", one.demo.root, "--gate-listen", new URL(one.demo.http).host]);
    expect(refused.code).toBe(EXIT.FAILED);
    expectSentence(refused, "EADDRINUSE", "choose another one");
  });

  it("a database that is not there, for the demo", async () => {
    const dir = join(cluster.dir, "demo-without");
    const refused = await lockstep(["demo", "--dir", dir], {
      LOCKSTEP_DATABASE_URL: "postgres://ada:secret@127.0.0.1:1/x",
    });
    expect(refused.code).toBe(EXIT.NOT_NOW);
    expect(refused.stderr).toMatch(/^lockstep: [^\n]*\.\n$/);
    expect(refused.stderr + refused.stdout).not.toContain("secret");
  });
});

describe("shell", () => {
  const through = (repository: string, root: string) =>
    `ext::${process.execPath} ${PROGRAM} shell --root ${root} -c %S% '${repository}.git'`;
  const git = (...args: string[]) => cluster.git.run(["-c", "protocol.ext.allow=always", ...args], { cwd: ada.dir });

  it("takes a push and serves it, as lockstep-shell does", async () => {
    const repository = await cluster.createRepository();
    const url = through(repository, one.demo.root);
    const tip = await ada.commit();
    expect(await git("push", url, `${tip}:refs/heads/main`)).toMatchObject({ code: 0 });
    expect((await git("ls-remote", url, "refs/heads/main")).stdout).toBe(`${tip}\trefs/heads/main\n`);
    expect((await one.lockstep("log", repository)).document.log).toMatchObject([{ version: 1, device: "repo001" }]);
  });

  it("tells a client why a repository is not served, and an operator why there is no program", async () => {
    expect((await git("ls-remote", through("no/such", one.demo.root))).stderr).toContain(
      "There is no repository no/such",
    );
    const refused = await lockstep(["shell", "--root", "/no/such", "-c", "git-upload-pack 'demo.git'"]);
    expect(refused.code).toBe(EXIT.FAILED);
    expect(refused.stderr).toMatch(/lockstep-git cannot be started \(ENOENT\); start `lockstep serve` with this root/);
  });
});

describe("migrate", () => {
  it("says what it did, and that there is nothing left to do", async () => {
    await using database = await createDatabase();
    const url = { LOCKSTEP_DATABASE_URL: database.url };
    const first = await lockstep(["migrate"], url);
    expect(first).toMatchObject({
      code: EXIT.OK,
      stdout: expect.stringMatching(/^The schema went from level 0 to \d+\.\n$/),
    });
    const file = join(cluster.dir, "url");
    await writeFile(file, `${database.url}\n`, { mode: 0o600 });
    const second = await lockstep(["migrate", "--database-url-file", file]);
    expect(second).toMatchObject({ code: EXIT.OK, stdout: expect.stringMatching(/already\.\n$/) });
  });
});

// What people at a terminal see: tables, progress, Ctrl-C, a reader that goes away.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { text } from "node:stream/consumers";
import pg from "pg";
import { describe, expect, it, vi } from "vitest";
import { type Ended, ended, PATIENCE, PROGRAM } from "../support/cluster-device.ts";
import { type Environment, EXIT, expectSentence, runHere, Terminal } from "../support/command-line.ts";
import { cluster, one, startClusterOfFile } from "../support/file-cluster.ts";
import { soon } from "../support/soon.ts";

startClusterOfFile();

const lockstep = (args: readonly string[], env?: Environment): Promise<Ended> => ended(one.command(args, env));

describe("people", () => {
  it("read tables and sentences", async () => {
    const created = await lockstep(["repo", "create", "people/app"]);
    expect(created).toMatchObject({
      code: EXIT.OK,
      stderr: "",
      stdout: expect.stringContaining("Created people/app."),
    });
    const shown = await lockstep(["repo", "show", "people/app"]);
    expect(shown.stdout).toMatch(/^people\/app at version 0\n/);
    expect(shown.stdout).toMatch(/^device +version +state +leader +live +last error$/m);
    expect(shown.stdout).toMatch(/^repo003 +0 +active +yes +yes$/m);
    expect((await lockstep(["sync", "people/app"])).stdout).toBe("people/app is current at version 0.\n");
    expect((await lockstep(["log", "people/app"])).stdout).toBe("Nothing has been written yet.\n");
    expect((await lockstep(["verify", "people/app"])).stdout).toMatch(/all 1 refs are those of version 0\.\n$/);
    expect((await lockstep(["status"])).stdout).toMatch(/^repo001 +live +localhost:\d+/m);
  });

  it("see how much room the disk of each device has, once it has renewed its lease", async () => {
    await vi.waitFor(async () => {
      const { stdout } = await lockstep(["status"]);
      for (const device of ["repo001", "repo002", "repo003"])
        expect(stdout).toMatch(new RegExp(`^${device} +live +localhost:\\d+ +[\\d.]+ [kMG]?B \\(\\d+ %\\)$`, "m"));
    }, soon(500));
    const { disk } = (await one.lockstep("device", "show", "repo003")).document;
    expect(disk.size_bytes).toBeGreaterThan(disk.free_bytes);
  });

  it("are told that the sidecar is not running, and where its socket should be", async () => {
    for (const args of [["status"], ["repo", "list"], ["sync", "demo"], ["log", "demo"], ["verify", "demo"]]) {
      const refused = await lockstep(args, { LOCKSTEP_SOCKET_DIR: "/no/such" });
      expect(refused.code).toBe(EXIT.NOT_NOW);
      expectSentence(refused, "The sidecar does not answer", "/no/such/lockstep.sock", "`lockstep serve`");
    }
  });

  it("are told which variable is misspelt, on standard error only", async () => {
    const { code, stdout, stderr } = await lockstep(["version", "--json"], { LOCKSTEP_SOCKET_DRI: "/x" });
    expect(code).toBe(EXIT.OK);
    expect(JSON.parse(stdout)).toHaveProperty("lockstep");
    expect(JSON.parse(stderr)).toMatchObject({ level: "warn", variable: "LOCKSTEP_SOCKET_DRI" });
  });

  it("are kept from showing a password to everyone on the machine", async () => {
    for (const url of ["postgres://ada:secret@127.0.0.1/x", "postgres://ada@127.0.0.1/x?password=secret"]) {
      for (const command of ["migrate", "serve", "demo"]) {
        const refused = await runHere([command, "--database-url", url]);
        expect(refused.code).toBe(EXIT.USAGE);
        expectSentence(refused, "must not carry a password", "LOCKSTEP_DATABASE_URL", "--database-url-file");
        expect(refused.stderr).not.toContain("secret");
      }
    }
  });
});

/** Runs `lockstep ARGS` with a pseudo terminal for all its streams. Returns what came to it, with ␛ for the escape character. */
async function onTerminal(args: readonly string[], env: Environment = {}): Promise<string> {
  const words = [process.execPath, PROGRAM, ...args].map((word) => `'${word}'`).join(" ");
  const child = spawn("script", ["--quiet", "--return", "--command", words, "/dev/null"], {
    env: { PATH: process.env.PATH ?? "", TERM: "xterm", LOCKSTEP_SOCKET_DIR: dirname(one.demo.socket), ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [shown] = await Promise.all([text(child.stdout!), once(child, "close")]);
  return shown.replaceAll("\x1b", "␛");
}

describe("a terminal", () => {
  it("gets colours, and what is no terminal gets none; NO_COLOR and FORCE_COLOR decide before it", async () => {
    const coloured = await onTerminal(["status"]);
    expect(coloured).toMatch(/^(␛\[32mAll is well:␛\[39m|␛\[31m\S+ things? needs? you:␛\[39m)/);
    expect(coloured).toMatch(/␛\[1mdevice␛\[22m/);
    expect(coloured).toMatch(/␛\[32mlive␛\[39m/);
    expect(await onTerminal(["status"], { NO_COLOR: "1" })).not.toContain("␛");
    expect((await lockstep(["status"])).stdout).not.toContain("\x1b");
    expect((await lockstep(["status"], { FORCE_COLOR: "1" })).stdout).toContain("\x1b[1mdevice\x1b[22m");
    expect((await lockstep(["status", "--json"], { FORCE_COLOR: "1" })).stdout).not.toContain("\x1b");
    expect(await onTerminal(["log"])).toMatch(/^␛\[31mlockstep:␛\[39m Name a repository/);
  });

  it("gets tables that fit into eighty columns, and a pipe has each row in one line", async () => {
    const piped = (await lockstep(["retention", "list"])).stdout;
    expect(Math.max(...piped.split("\n").map((line) => line.length))).toBeGreaterThan(80);
    const shown = await onTerminal(["retention", "list"], { NO_COLOR: "1" });
    expect(Math.max(...shown.split("\r\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    expect(shown.replaceAll(/\s+/g, " ")).toContain("whichever is longer");
  });

  it("sees one line about a long wait, which never scrolls, and no trace of it at the end", async () => {
    const repository = await cluster.createRepository();
    const reason = "an import of everything that there is, and it takes longer than anybody thought it would";
    const { token } = await one.call("BeginWrite", { repository, author: "ada", reason }, PATIENCE);
    const shown = await onTerminal(["write-lock", "--enable", "--reason", "disks", "--wait", "3", repository]);
    await one.call("AbortWrite", { repository, token }, PATIENCE);
    await one.lockstep("write-lock", "--disable", repository);
    const drawn = shown.split("\r␛[K").slice(1);
    expect(drawn.length).toBeGreaterThan(5);
    const waiting = drawn.filter((line) => line.includes("waiting for "));
    expect(waiting.length).toBeGreaterThan(3);
    for (const line of waiting) {
      expect(line).toMatch(/^␛\[\?7l[^\r\n]{1,79}␛\[\?7h$/);
      expect(line).toMatch(/ … \d s␛/);
    }
    // The end is the sentence, in the place of the line.
    expect(drawn.at(-1)).toMatch(/^␛\[31mlockstep:␛\[39m New writes are refused now, but after 3 s /);
  });
});

describe("people who wait at a terminal", () => {
  const env = () => ({ LOCKSTEP_SOCKET_DIR: dirname(one.demo.socket) });

  /** Runs `work` while whoever asks about a repository waits, until somebody at the terminal has seen `line`. */
  async function whileAllWait<T>(terminal: Terminal, line: RegExp, work: () => Promise<T>): Promise<T> {
    const locker = new pg.Client({ connectionString: cluster.databaseUrl });
    await locker.connect();
    try {
      await locker.query("begin");
      await locker.query("lock table lockstep.repository in access exclusive mode");
      const working = work();
      await expect.poll(() => terminal.shown).toMatch(line);
      await locker.query("rollback");
      return await working;
    } finally {
      await locker.end();
    }
  }

  it.each([
    [["sync", "demo"], /asking the sidecar … \d s/],
    [["verify", "demo"], /comparing every ref on disk with the log … \d s/],
    [["repo", "create", "waited/for"], /replicas made: +0 of \?/],
  ])("see on it what goes on, in one line that goes away: %j", async (args, line) => {
    const terminal = new Terminal();
    const { code, stdout, stderr } = await whileAllWait(terminal, line, () => runHere(args, env(), terminal));
    expect(code).toBe(EXIT.OK);
    expect(stderr).toMatch(line);
    expect(stderr.endsWith("\r\x1b[K")).toBe(true);
    expect(stdout).not.toContain("\r");
  });

  it("see whose write keeps them from stopping writes", async () => {
    const repository = await cluster.createRepository();
    const asked = { repository, author: "ada", reason: "import" };
    const { token, writeId } = await one.call("BeginWrite", asked, PATIENCE);
    const args = ["write-lock", "--enable", "--reason", "new disks", "--wait", "2", repository];
    const wide = Object.assign(new Terminal(), { columns: 200 });
    const { code, stderr } = await runHere(args, env(), wide);
    await one.call("AbortWrite", { repository, token }, PATIENCE);
    await one.lockstep("write-lock", "--disable", repository);
    expect(code).toBe(EXIT.NOT_NOW);
    const line = `waiting for ${writeId} in ${repository} by ada on repo001 for \\d+ s \\(import\\) … \\d s`;
    expect(stderr).toMatch(new RegExp(line));
    expect(stderr).toContain("\r\x1b[K\x1b[31mlockstep:\x1b[39m New writes are refused now, but after 2 s ");
  });

  it("see no progress if standard error is not a terminal, and neither does a program", async () => {
    const terminal = new Terminal();
    // By then the others have waited for twice as long as it takes until something is shown.
    const [person, program] = await whileAllWait(terminal, /… 1 s/, () =>
      Promise.all([
        runHere(["verify", "demo"], env()),
        runHere(["verify", "demo", "--json"], env(), new Terminal()),
        runHere(["verify", "demo"], env(), terminal),
      ]),
    );
    for (const { code, stderr } of [person, program]) expect({ code, stderr }).toEqual({ code: EXIT.OK, stderr: "" });
    expect(JSON.parse(program.stdout)).toMatchObject({ ok: true });
  });
});

describe("a reader that goes away", () => {
  it.each([["repo", "list"], ["status", "--json"], ["no-such-command"]])(
    "a reader that goes away is no crash: %s",
    async (...args) => {
      const child = one.command(args);
      child.stdout?.destroy();
      const code = once(child, "close");
      const stderr = await text(child.stderr!);
      expect((await code)[0]).toBe(args[0] === "no-such-command" ? EXIT.USAGE : EXIT.OK);
      expect(stderr).not.toMatch(/EPIPE|\n {4}at /);
    },
  );

  it("leaves the exit code when it had standard error", async () => {
    const child = one.command(["no-such-command"]);
    child.stderr?.destroy();
    const [[code]] = await Promise.all([once(child, "close"), text(child.stdout!)]);
    expect(code).toBe(EXIT.USAGE);
  });
});

/** How many clients the socket at `path` has, as the kernel counts them: whoever is connected has loaded its program. */
async function connections(path: string): Promise<number> {
  const sockets = (await readFile("/proc/net/unix", "utf8")).split("\n");
  const CONNECTED = "03";
  return sockets.filter((line) => line.endsWith(` ${path}`) && line.split(/\s+/)[5] === CONNECTED).length;
}

describe("Ctrl-C", () => {
  it.each([[["sync", "demo"]], [["log", "demo"]], [["repo", "show", "demo"]]])(
    "ends %j at once, with a sentence",
    async (args) => {
      const locker = new pg.Client({ connectionString: cluster.databaseUrl });
      await locker.connect();
      try {
        // Whoever asks about a repository now waits.
        await locker.query("begin");
        await locker.query("lock table lockstep.repository in access exclusive mode");
        const before = await connections(one.demo.socket);
        const child = one.command(args);
        const end = ended(child);
        await expect.poll(async () => await connections(one.demo.socket)).toBeGreaterThan(before);
        child.kill("SIGINT");
        const outcome = await end;
        expect(outcome.code).toBe(EXIT.NOT_NOW);
        expectSentence(outcome, "cancelled");
      } finally {
        await locker.query("rollback");
        await locker.end();
      }
      await expect(lockstep(args)).resolves.toMatchObject({ code: EXIT.OK });
    },
  );
});

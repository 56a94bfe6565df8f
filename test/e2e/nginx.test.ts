// nginx and git http-backend of Debian as the front end, with the configuration of docs/integration.md.
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { wholeLog } from "../support/at-rest.ts";
import type { Cluster } from "../support/cluster.ts";
import { type Device, PATIENCE } from "../support/cluster-device.ts";
import { type LaggingCluster, startLaggingCluster } from "../support/lag.ts";
import { type Nginx, startNginx } from "../support/nginx.ts";
import { findProgram } from "../support/programs.ts";
import type { Pusher } from "../support/pusher.ts";

const nginx = findProgram("nginx", "nginx-light");
const fcgiwrap = findProgram("fcgiwrap", "fcgiwrap");
const missing = [nginx, fcgiwrap].flatMap((found) => ("missing" in found ? [found.missing] : []));
if (missing.length > 0) console.warn(`The tests with nginx are skipped: ${missing.join("; ")}.`);

describe.skipIf(missing.length > 0)("nginx before git http-backend", () => {
  let lagging: LaggingCluster;
  let cluster: Cluster;
  let one: Device;
  let three: Device;
  let ada: Pusher;
  let web: Nginx;
  let repositories: readonly string[];
  beforeAll(async () => {
    lagging = await startLaggingCluster(4);
    ({ cluster, one, three, ada, repositories } = lagging);
    await one.call("CreateRepository", { repository: "only/c++", devices: ["repo001"] }, PATIENCE);
    const [program, wrap] = [nginx, fcgiwrap] as { path: string }[];
    const execPath = await cluster.git.git(["--exec-path"]);
    web = await startNginx(three, { nginx: program!.path, fcgiwrap: wrap!.path, execPath, user: "ada" });
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
    await lagging?.[Symbol.asyncDispose]();
  });

  it("clones the newest commit from a replica that lags", async () => {
    const repository = repositories[0]!;
    await lagging.expectNewest(repository, (into) => cluster.git.git(["clone", "--quiet", web.url(repository), into]));
  });

  it("takes small and chunked pushes in the name of the user that nginx let in", async () => {
    const repository = repositories[1]!;
    const small = await ada.commit();
    await ada.land(web.url(repository, "ada"), `${small}:refs/heads/main`);
    const tree = await cluster.git.workTree("large");
    const large = await cluster.git.commit(tree, "large", { "large.bin": randomBytes(3 << 20) });
    await cluster.git.git(["push", "--quiet", web.url(repository, "ada"), "HEAD:refs/heads/large"], { cwd: tree });
    expect(await cluster.git.git(["ls-remote", one.url(repository)])).toBe(
      [`${small}\tHEAD`, `${large}\trefs/heads/large`, `${small}\trefs/heads/main`].join("\n"),
    );
    const log = await wholeLog(one, repository);
    expect(log.map(({ author, device }) => [author, device])).toEqual([
      ["ada", "repo003"],
      ["ada", "repo003"],
    ]);
  });

  it("shows what a hook of the server says, and refuses what it refuses", async () => {
    const repository = repositories[2]!;
    const hook = join(three.gitDir(repository), "hooks", "update");
    await writeFile(hook, "#!/bin/sh\necho not on a Friday >&2\nexit 1\n", { mode: 0o755 });
    const { code, stderr } = await ada.push(web.url(repository, "ada"), `${await ada.commit()}:refs/heads/main`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^remote: not on a Friday/m);
    expect(stderr).toMatch(/\[remote rejected\].*-> main \(hook declined\)/);
    expect(await wholeLog(one, repository)).toEqual([]);
  });

  it("lets nobody push without a name", async () => {
    const repository = repositories[2]!;
    const { code, stderr } = await ada.push(web.url(repository), `${await ada.commit()}:refs/heads/nobody`);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/could not read Username|Authentication failed/);
  });

  it("shows the sidecar's reason on the terminal when this device may not serve", async () => {
    const { code, stderr } = await cluster.git.run(["ls-remote", web.url("only/c++")]);
    expect(code).toBe(128);
    expect(stderr).toMatch(/^remote: Device repo003 has no replica of .*only\/c\+\+/m);
    expect(stderr).toMatch(/returned error: 503/);
  });

  it("refuses a push before its upload while writes are stopped, and goes on serving reads", async () => {
    const repository = repositories[3]!;
    const writeLock = (...flags: string[]) => one.print("write-lock", repository, ...flags);
    expect(await writeLock("--enable", "--reason", "a new disk until noon")).toMatchObject({ code: 0 });
    const advertisement = await fetch(`${web.url(repository)}/info/refs?service=git-receive-pack`, {
      headers: { authorization: `Basic ${btoa("ada:secret")}` },
    });
    expect(advertisement.status).toBe(503);
    expect(await advertisement.text()).toContain("a new disk until noon");
    expect(await cluster.git.run(["ls-remote", web.url(repository)])).toMatchObject({ code: 0 });
    expect(await writeLock("--disable")).toMatchObject({ code: 0 });
    await ada.land(web.url(repository, "ada"), `${await ada.commit()}:refs/heads/allowed`);
  });

  it("serves nothing while the sidecar is away, and says so", async () => {
    const repository = repositories[3]!;
    await three.kill();
    const refused = await cluster.git.run(["ls-remote", web.url(repository)]);
    expect(refused.code).toBe(128);
    expect(refused.stderr).toMatch(/^remote: The sidecar of this server does not answer; try again/m);
    await three.start();
    expect(await cluster.git.run(["ls-remote", web.url(repository)])).toMatchObject({ code: 0 });
  });

  it("has nothing but git's smart protocol", async () => {
    const base = web.url(repositories[0]!);
    for (const path of ["/HEAD", "/config", "/objects/info/packs", "/../../etc/passwd", "/info/refs/../../HEAD"])
      expect((await fetch(`${base}${path}`)).status).toBe(404);
  });
});

// The plain HTTP of a device: health, metrics, and the question that nginx's auth_request asks.
import { expect, it, vi } from "vitest";
import { type Device, PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile, three, two } from "../support/file-cluster.ts";
import { soon } from "../support/soon.ts";

startClusterOfFile();

async function ask(device: Device, path: string): Promise<{ status: number; text: string }> {
  const response = await fetch(`${device.demo.http}${path}`);
  return { status: response.status, text: await response.text() };
}

it("answers /gate only when the refs of the newest version are on this disk", async () => {
  const repository = await cluster.createRepository();
  for (let round = 0; round < 5; round += 1) {
    const tip = await ada.commit();
    await ada.land(one.url(repository), `+${tip}:refs/heads/main`);
    expect(await ask(three, `/gate?repository=${encodeURIComponent(repository)}`)).toEqual({ status: 204, text: "" });
    const args = ["-c", "safe.directory=*", "rev-parse", "refs/heads/main"];
    expect((await cluster.git.run(args, { cwd: three.gitDir(repository) })).stdout.trim()).toBe(tip);
  }
});

it.each([
  ["/gate", /missing/],
  ["/gate?repository=no/such", /There is no repository no\/such/],
  ["/gate?repository=../../etc", /The repository name/],
  ["/gate?repository=demo&repository=no/such", /stands there twice; encode the name/],
])("refuses %s with a reason", async (path, reason) => {
  const { status, text } = await ask(one, path);
  expect(status).toBe(503);
  expect(text).toMatch(reason);
});

it("says the reason in a header too, with any characters, for servers that drop the body", async () => {
  const evil = "a\u001b[31m\r\nset-cookie: x=y\u{1f600}";
  const response = await fetch(`${one.demo.http}/gate?repository=${encodeURIComponent(evil)}`);
  expect(response.status).toBe(503);
  expect(response.headers.get("set-cookie")).toBeNull();
  const reason = Buffer.from(response.headers.get("lockstep-reason") ?? "", "latin1").toString();
  expect(`${reason}\n`).toBe(await response.text());
  const long = await fetch(`${one.demo.http}/gate?repository=${"x".repeat(8_000)}`);
  expect(long.status).toBe(503);
  expect(long.headers.get("lockstep-reason")!.length).toBeLessThanOrEqual(1_000);
});

it("knows a repository with a plus in its name, written as it is or encoded", async () => {
  await one.call("CreateRepository", { repository: "lang/c++" }, PATIENCE);
  for (const name of ["lang/c++", "lang%2Fc%2B%2B"])
    expect(await ask(one, `/gate?repository=${name}`)).toMatchObject({ status: 204 });
});

it("counts pushes, reads and catch-ups for Prometheus", async () => {
  const repository = await cluster.createRepository();
  await ada.land(one.url(repository), `${await ada.commit()}:refs/heads/main`);
  await ask(three, `/gate?repository=${repository}`);
  const count = async (device: Device, name: string) => {
    const { text } = await ask(device, "/metrics");
    const line = text.split("\n").find((each) => each.startsWith(`${name} `));
    return Number(line?.split(" ").at(-1) ?? 0);
  };
  expect(await count(one, 'lockstep_pushes_total{result="landed"}')).toBeGreaterThan(0);
  expect(await count(three, 'lockstep_catch_ups_total{result="ok"}')).toBeGreaterThan(0);
  expect(await count(one, "lockstep_head_queries_total")).toBeGreaterThan(0);
});

it("tells the cluster, the disk, the certificate and its version to Prometheus, without the name of a repository", async () => {
  const repository = await cluster.createRepository();
  await ada.land(one.url(repository), `${await ada.commit()}:refs/heads/main`);
  await ask(three, `/gate?repository=${repository}`);
  // The cluster is counted every few seconds.
  await vi.waitFor(async () => {
    const lines = (await ask(three, "/metrics")).text.split("\n");
    for (const device of ["repo001", "repo002", "repo003"]) {
      expect(lines).toContain(`lockstep_device_up{device="${device}"} 1`);
      expect(lines).toContain(`lockstep_versions_behind{device="${device}"} 0`);
    }
    expect(lines).toContain("lockstep_heads_on_one_device 0");
    const value = (name: string) => Number(lines.find((line) => line.startsWith(`${name} `))?.split(" ")[1]);
    expect(value('lockstep_replicas{state="active"}')).toBe(3 * value("lockstep_repositories"));
  }, soon(500));
  const { text } = await ask(one, "/metrics");
  expect(text).toMatch(/^lockstep_database_up 1$/m);
  expect(text).toMatch(/^lockstep_disk_free_bytes [1-9]/m);
  expect(text).toMatch(/^lockstep_certificate_expiry_timestamp_seconds\{file="tls-cert"\} [1-9]/m);
  expect(text).toMatch(/^lockstep_build_info\{version="\d[^"]*",git="2[^"]*",schema="\d+"\} 1$/m);
  expect(text).toMatch(/^lockstep_push_step_seconds_count\{step="land"\} [1-9]/m);
  expect(text).toMatch(/^lockstep_mutex_hold_seconds_count [1-9]/m);
  expect(text).toMatch(/^lockstep_database_seconds_count [1-9]/m);
  expect(text).toMatch(/^lockstep_limit_max\{limit="shims"\} 1024$/m);
  expect(text).not.toContain(repository);
});

it("counts reads that it refused by their reason", async () => {
  const count = async () =>
    Number(
      /^lockstep_refused_reads_total\{code="REPOSITORY_NOT_FOUND"\} (\d+)$/m.exec(
        (await ask(two, "/metrics")).text,
      )?.[1] ?? 0,
    );
  const before = await count();
  await ask(two, "/gate?repository=no/such");
  expect(await count()).toBe(before + 1);
});

it("tells the kubelet that it lives and is ready, and what it checked", async () => {
  expect(await ask(one, "/livez")).toMatchObject({ status: 200 });
  expect(await ask(one, "/readyz?verbose")).toEqual({
    status: 200,
    text: "[+] serving\n[+] database\n[+] root\n[+] key\n[+] certificate\n[+] lease\nok\n",
  });
});

it("leaves out the checks that a probe excludes, and refuses to exclude what is no check", async () => {
  expect(await ask(one, "/readyz?verbose&exclude=database&exclude=lease")).toEqual({
    status: 200,
    text: "[+] serving\n[+] root\n[+] key\n[+] certificate\nok\n",
  });
  expect(await ask(one, "/readyz?exclude=databse")).toEqual({
    status: 400,
    text: "There is no check databse to exclude; the checks are database, root, key, certificate, lease.\n",
  });
});

// The plain HTTP of a device: health, metrics, and the question that nginx's auth_request asks.
import { expect, it } from "vitest";
import { type Device, PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile, three } from "../support/file-cluster.ts";

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

it("tells the kubelet that it lives and is ready, and what it checked", async () => {
  expect(await ask(one, "/livez")).toMatchObject({ status: 200 });
  expect(await ask(one, "/readyz?verbose")).toEqual({
    status: 200,
    text: "[+] serving\n[+] database\n[+] root\n[+] key\n[+] certificate\n[+] lease\nok\n",
  });
});

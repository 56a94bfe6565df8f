// The trace of a caller, from its header or its metadata to the log of the sidecar.
import { randomBytes } from "node:crypto";
import { expect, it, vi } from "vitest";
import { type Device, PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile } from "../support/file-cluster.ts";
import { soon } from "../support/soon.ts";

const SOON = soon(20);

startClusterOfFile();

/** A new trace: its header, and the keys that log lines have. */
function newTrace() {
  const [trace_id, span_id] = [randomBytes(16).toString("hex"), randomBytes(8).toString("hex")];
  return { traceparent: `00-${trace_id}-${span_id}-01`, keys: { trace_id, span_id } };
}

const lineOf = (device: Device, msg: string, repository: string) =>
  vi.waitFor(async () => {
    const line = (await device.log()).find((each) => each.msg === msg && each.repository === repository);
    expect(line).toBeDefined();
    return line as Record<string, unknown>;
  }, SOON);

it("a push through the gate is in the trace of its HTTP header", async () => {
  const repository = await cluster.createRepository();
  const { traceparent, keys } = newTrace();
  const args = ["-c", `http.extraHeader=traceparent: ${traceparent}`, "push", "--quiet", one.url(repository)];
  await cluster.git.git([...args, `${await ada.commit()}:refs/heads/main`], { cwd: ada.dir });
  expect(await lineOf(one, "push landed", repository)).toMatchObject(keys);
});

it("a push into the directory is in the trace that the git server names", async () => {
  const repository = await cluster.createRepository();
  const { traceparent, keys } = newTrace();
  const env = { LOCKSTEP_TRACEPARENT: traceparent };
  const refspec = `${await ada.commit()}:refs/heads/main`;
  await cluster.git.run(["push", one.gitDir(repository), refspec], { cwd: ada.dir, env });
  expect(await lineOf(one, "push landed", repository)).toMatchObject(keys);
});

it("a push without a trace, or with what is none, has none in its log line", async () => {
  const [plain, odd] = [await cluster.createRepository(), await cluster.createRepository()];
  await ada.land(one.url(plain), `${await ada.commit()}:refs/heads/main`);
  const env = { LOCKSTEP_TRACEPARENT: "00-zz-01" };
  await cluster.git.run(["push", one.gitDir(odd), `${await ada.commit()}:refs/heads/main`], { cwd: ada.dir, env });
  for (const repository of [plain, odd]) {
    const line = await lineOf(one, "push landed", repository);
    expect(line).not.toHaveProperty("trace_id");
    expect(line).not.toHaveProperty("span_id");
  }
});

it("a session is in the trace of the metadata of its call", async () => {
  const repository = await cluster.createRepository();
  const { traceparent, keys } = newTrace();
  const { token } = await one.call("BeginWrite", { repository, reason: "web" }, { ...PATIENCE, traceparent });
  expect(await lineOf(one, "session begun", repository)).toMatchObject(keys);
  await one.call("AbortWrite", { repository, token }, PATIENCE);
});

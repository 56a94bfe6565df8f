// A gate and a sidecar that are watched: health and metrics of the gate, and the spans of both with a real SDK of
// OpenTelemetry.
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { createAuthority, issue } from "../../src/ca/authority.ts";
import { writeCredentials } from "../../src/ca/credentials.ts";
import { ada, cluster, one, startClusterOfFile } from "../support/file-cluster.ts";
import { soon } from "../support/soon.ts";
import { startWatchedGate } from "../support/watched-gate.ts";

const SOON = soon(20);
const SDK = fileURLToPath(new URL("../support/spans-to-file.mjs", import.meta.url));

startClusterOfFile({ revive: true });

const startGate = (args?: readonly string[], env?: Record<string, string>) => startWatchedGate(one, args, env);

describe("health and metrics of a gate", () => {
  it("counts what clients ask, what is refused and why, and how long the sidecar took", async () => {
    const repository = await cluster.createRepository();
    await using gate = await startGate();
    await ada.land(gate.url(repository), `${await ada.commit()}:refs/heads/main`);
    await cluster.git.git(["clone", "--quiet", gate.url(repository), join(ada.dir, "clone")]);
    const missing = await cluster.git.run(["ls-remote", gate.url("no/such")]);
    expect(missing.stderr).toContain("no/such");
    await vi.waitFor(async () => {
      const lines = await gate.metrics();
      expect(lines).toEqual(
        expect.arrayContaining([
          'lockstep_gate_requests_total{route="push_refs",status="2xx"} 1',
          'lockstep_gate_requests_total{route="push",status="2xx"} 1',
          'lockstep_gate_requests_total{route="fetch_refs",status="2xx"} 1',
          'lockstep_gate_requests_total{route="fetch_refs",status="4xx"} 1',
          'lockstep_gate_refused_total{reason="REPOSITORY_NOT_FOUND"} 1',
          'lockstep_limit_max{limit="gate_requests"} 64',
          'lockstep_limit_used{limit="gate_requests"} 0',
          'lockstep_limit_used{limit="gate_questions"} 0',
          'lockstep_limit_used{limit="gate_line"} 0',
        ]),
      );
      const value = (metric: string) => Number(lines.find((line) => line.startsWith(`${metric} `))?.split(" ")[1]);
      expect(value('lockstep_gate_request_seconds_count{route="push"}')).toBe(1);
      expect(value("lockstep_gate_sidecar_seconds_count")).toBeGreaterThan(3);
      expect(value("process_resident_memory_bytes")).toBeGreaterThan(1e6);
      expect(lines.some((line) => line.startsWith("lockstep_gate_build_info{version="))).toBe(true);
      expect(lines.filter((line) => line.includes(repository))).toEqual([]);
    }, SOON);
  });

  it("lives without its sidecar, and is not ready then", async () => {
    await using gate = await startGate();
    expect(await gate.http("/readyz?verbose")).toEqual({
      status: 200,
      body: "[+] serving\n[+] sidecar\n[+] certificate\nok\n",
    });
    await one.kill();
    expect(await gate.http("/readyz")).toEqual({
      status: 503,
      body: "[-] sidecar: the sidecar of this machine does not take calls\nnot ready\n",
    });
    for (const path of ["/livez", "/healthz", "/readyz?exclude=sidecar"])
      expect(await gate.http(path)).toEqual({ status: 200, body: "ok\n" });
    expect((await gate.http("/readyz?exclude=no")).status).toBe(400);
    expect((await gate.http("/team/app.git/info/refs?service=git-upload-pack")).status).toBe(404);
    await one.start();
    await vi.waitFor(async () => expect((await gate.http("/readyz")).status).toBe(200), SOON);
  });

  it("tells when its certificate ends", async () => {
    const authority = await createAuthority({ trustDomain: "users.example", days: 2 });
    const issued = await issue(authority, { role: "device", name: "gate", hosts: ["127.0.0.1"], days: 1 });
    const { certificate, key } = await writeCredentials(join(cluster.git.dir, "gate"), "gate", issued);
    await using gate = await startGate(["--gate-tls-cert", certificate, "--gate-tls-key", key]);
    const endsAt = Date.parse(new X509Certificate(await readFile(certificate)).validTo) / 1000;
    const named = 'lockstep_certificate_expiry_timestamp_seconds{file="gate-tls-cert"}';
    expect(await gate.metrics()).toContain(`${named} ${endsAt}`);
  });
});

describe("with an SDK of OpenTelemetry", () => {
  const TRACE = "0af7651916cd43dd8448eb211c80319c";
  const CALLER = "b7ad6b7169203331";
  const fileOf = (name: string) => join(cluster.git.dir, `spans-of-${name}`);
  const loaded = (name: string) => ({ NODE_OPTIONS: `--import ${SDK}`, SPANS_FILE: fileOf(name) });
  beforeAll(async () => {
    await one.kill();
    await one.start(loaded("sidecar"));
  });

  const spansOf = async (name: string) => {
    const lines = (await readFile(fileOf(name), "utf8")).split("\n").filter(Boolean);
    return lines.map((line) => JSON.parse(line)).filter(({ traceId }) => traceId === TRACE);
  };

  it("a push through the gate is one trace: request, question to the sidecar, push, and its steps", async () => {
    const repository = await cluster.createRepository();
    await using gate = await startGate([], loaded("gate"));
    const header = `http.extraHeader=traceparent: 00-${TRACE}-${CALLER}-01`;
    const refspec = `${await ada.commit()}:refs/heads/main`;
    await cluster.git.git(["-c", header, "push", "--quiet", gate.url(repository), refspec], { cwd: ada.dir });
    const lines = await gate.log();

    const requests = await spansOf("gate");
    expect(requests.map(({ name, parent }) => [name, parent])).toEqual(requests.map(() => ["gate", CALLER]));
    const ids = requests.map(({ spanId }) => spanId);
    const last = requests.at(-1)!;
    expect(last.attributes).toMatchObject({
      "lockstep.repository": repository,
      "lockstep.service": "receive-pack",
      "http.response.status_code": 200,
    });
    const served = lines.filter(({ msg }) => msg === "request served");
    expect(served.map(({ span_id }) => span_id)).toEqual(ids);
    expect(new Set(served.map(({ trace_id }) => trace_id))).toEqual(new Set([TRACE]));

    const spans = await vi.waitFor(async () => {
      const all = await spansOf("sidecar");
      expect(all.map(({ name }) => name)).toContain("push");
      return all;
    }, SOON);
    const push = spans.find(({ name }) => name === "push")!;
    expect(push.parent).toBe(last.spanId);
    expect(push.attributes).toMatchObject({ "lockstep.repository": repository, "lockstep.refs": 1 });
    const questions = spans.filter(({ name }) => name.includes("BeforeRead"));
    expect(questions.length).toBeGreaterThan(0);
    for (const { parent } of questions) expect(ids).toContain(parent);

    const steps = spans.filter(({ parent }) => parent === push.spanId);
    const names = steps.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(["read", "policy", "stage", "prepare", "land", "commit"]));
    for (const { from, to } of steps) {
      expect(from).toBeGreaterThanOrEqual(push.from - 1);
      expect(to).toBeLessThanOrEqual(push.to + 1);
      expect(to).toBeGreaterThanOrEqual(from);
    }
    const landed = (await one.log()).find((line) => line.msg === "push landed" && line.repository === repository);
    expect(landed).toMatchObject({ trace_id: TRACE, span_id: push.spanId });
  });

  it("a refused request is a failed span with its reason", async () => {
    await one.kill();
    await using gate = await startGate([], loaded("failing-gate"));
    const header = `http.extraHeader=traceparent: 00-${TRACE}-${CALLER}-01`;
    const read = await cluster.git.run(["-c", header, "ls-remote", gate.url("team/app-1")]);
    expect(read.code).not.toBe(0);
    await gate.log();
    const [span] = await spansOf("failing-gate");
    expect(span).toMatchObject({
      parent: CALLER,
      status: { code: 2 },
      attributes: { "error.type": "SIDECAR_UNAVAILABLE", "http.response.status_code": 503 },
    });
  });
});

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { at, cluster, one, repositoryAt, startOperatedClusterOfFile } from "../support/file-operated-cluster.ts";
import { collect } from "../support/operators.ts";
import { type Message, stranger } from "../support/stranger.ts";

const run = promisify(execFile);
const NOBODY = "00000000-0000-0000-0000-000000000000";
const SERVING = 1;

startOperatedClusterOfFile();

describe("errors", () => {
  it.each([
    ["GetVersion", { repository: "no/such" }, "NOT_FOUND", "REPOSITORY_NOT_FOUND"],
    ["BeforeRead", { repository: "no/such" }, "NOT_FOUND", "REPOSITORY_NOT_FOUND"],
    ["GetRepository", { repository: "no/such" }, "NOT_FOUND", "REPOSITORY_NOT_FOUND"],
    ["ListLog", { repository: "no/such" }, "NOT_FOUND", "REPOSITORY_NOT_FOUND"],
    ["VerifyReplica", { repository: "no/such" }, "NOT_FOUND", "REPOSITORY_NOT_FOUND"],
    ["Thaw", { repository: "no/such", promote: "repo001" }, "NOT_FOUND", "REPOSITORY_NOT_FOUND"],
    ["GetWrite", { repository: "no/such", writeId: NOBODY }, "NOT_FOUND", "WRITE_NOT_FOUND"],
    ["BeginWrite", { repository: "no/such" }, "NOT_FOUND", "REPOSITORY_NOT_FOUND"],
    ["RenewWrite", { repository: "no/such", token: `${NOBODY}.${NOBODY}` }, "NOT_FOUND", "WRITE_NOT_FOUND"],
    ["BumpVersion", { repository: "no/such", token: "" }, "NOT_FOUND", "WRITE_NOT_FOUND"],
    ["AbortWrite", { repository: "no/such", token: "x" }, "NOT_FOUND", "WRITE_NOT_FOUND"],
  ])(
    "of %s %j carry google.rpc.ErrorInfo, and no RetryInfo where trying again does not help",
    async (method, request, code, reason) => {
      const refused = await at.one.refusal(method, request);
      expect(refused).toMatchObject({
        code,
        reason,
        domain: "lockstep",
        message: expect.stringMatching(/no\/such.*[;.]/),
      });
      expect(refused.retryMs).toBeUndefined();
    },
  );

  it("the errors of a stream come as those of a call do", async () => {
    await expect(collect(at.one.stream("FetchFrom", { repository: "no/such" }))).rejects.toMatchObject({
      code: "NOT_FOUND",
      reason: "REPOSITORY_NOT_FOUND",
      domain: "lockstep",
    });
  });
});

describe("for strangers", () => {
  it("answers health checks, on the TLS port and on the socket", async () => {
    using local = stranger(`unix:${one.demo.socket}`);
    for (const client of [at.one, local]) {
      for (const service of ["", "lockstep.v1.SyncService", "lockstep.v1.ClusterService"])
        expect(await client.health(service)).toBe(SERVING);
      await expect(client.health("no.such.Service")).rejects.toMatchObject({ code: "NOT_FOUND" });
    }
  });

  it("lists its services and shows their files", async () => {
    const { listServicesResponse } = await at.one.reflect({ listServices: "" });
    const services = listServicesResponse.service.map(({ name }: Message) => name);
    expect(services).toEqual(expect.arrayContaining(["lockstep.v1.SyncService", "lockstep.v1.ClusterService"]));
    const { fileDescriptorResponse } = await at.one.reflect({ fileContainingSymbol: "lockstep.v1.SyncService" });
    expect(fileDescriptorResponse.fileDescriptorProto.length).toBeGreaterThan(0);
  });

  it("is understood by a client of another make that knows the protocol from reflection only", async (context) => {
    const python = "/usr/bin/python3";
    const missing = await run(python, ["-c", "import grpc, google.protobuf"]).then(
      () => undefined,
      (error: Error) => error.message,
    );
    if (missing) context.skip(`Debian's python3-grpcio and python3-protobuf are not installed: ${missing}`);
    const { repository } = await repositoryAt(1);
    const { ca, operator } = cluster.demo.line;
    const script = fileURLToPath(new URL("../support/stranger.py", import.meta.url));
    const args = [script, one.demo.grpc, ca, operator.cert, operator.key, repository, "no/such"];
    const told = JSON.parse((await run(python, args)).stdout);
    const refusal = { code: "NOT_FOUND", message: expect.stringContaining("no/such"), named: true };
    expect(told).toMatchObject({
      services: expect.arrayContaining(["lockstep.v1.ClusterService", "lockstep.v1.SyncService"]),
      version: { repository, device: "repo001", version: "1", headVersion: "1", state: "REPLICA_STATE_ACTIVE" },
      read: { version: "1", fetched: false },
      fetched: [{ result: { version: "1", alreadyCurrent: true } }],
      log: { entries: [{ version: "1", device: "repo001" }] },
      status: { devices: [{ name: "repo001", live: true }, {}, {}] },
      refusal,
      streamed_refusal: refusal,
    });
  });
});

// The audit has each act of an operator, and a row that is missing is noticed.
import { describe, expect, it, vi } from "vitest";
import { administer } from "../support/administer.ts";
import { cluster, one, startClusterOfFile, two } from "../support/file-cluster.ts";
import { issued } from "../support/issued-files.ts";
import { SOON } from "../support/soon.ts";
import { stranger, tlsCredentials } from "../support/stranger.ts";

startClusterOfFile();

describe("the audit", () => {
  it("has each act of an operator once, with who, what and the result, and refused credentials with a count", async () => {
    const { operator, ca } = cluster.demo.line;
    using olga = stranger(one.demo.grpc, tlsCredentials(ca, operator));
    await olga.call("CreateRepository", { repository: "audited/one" });
    await olga.refusal("CreateRepository", { repository: "audited/one" });
    await one.print("device", "set", "repo003", "--no-writes");
    await one.print("device", "set", "repo003", "--writes");
    const files = await issued("frontend", "curious");
    using curious = stranger(one.demo.grpc, tlsCredentials(ca, files));
    for (let times = 0; times < 3; times += 1) await curious.refusal("ListHooks").catch(() => {});
    await one.print("frontend", "trust", "curious", "--cert", files.cert);
    await vi.waitFor(async () => {
      for (let times = 0; times < 3; times += 1)
        expect(await curious.refusal("ListHooks")).toMatchObject({ code: "PERMISSION_DENIED" });
    }, SOON);
    const rows = async () => (await two.lockstep("audit", "--since", "1h")).document.entries;
    const acts = (await rows()).map(({ author, action, repository, device, result }: Record<string, string>) =>
      [author, action, repository ?? device, result].join("|"),
    );
    expect(acts).toContain("operator operator|create repository|audited/one|done");
    expect(acts).toContain("operator operator|create repository|audited/one|REPOSITORY_EXISTS");
    expect(acts.filter((act: string) => act.includes("|stop writes|repo003|done"))).toHaveLength(1);
    expect(acts.filter((act: string) => act.includes("|allow writes|repo003|done"))).toHaveLength(1);
    await vi.waitFor(async () => {
      const refused = (await rows()).filter(
        (row: { author: string; action: string }) => row.author === "frontend curious",
      );
      expect(refused.map(({ action }: { action: string }) => action)).toContain("refused");
      const denied = refused.find(({ result }: { result: string }) => result === "PERMISSION_DENIED");
      expect(denied).toMatchObject({
        device: "repo001",
        detail: { count: expect.any(Number), from: expect.any(String) },
      });
    }, SOON);
  });

  it("is whole, and says so with its end; a row that somebody removed is noticed", async () => {
    const whole = await one.lockstep("audit", "--verify");
    expect(whole).toMatchObject({ code: 0, document: { verified: true, problem: null } });
    expect((await two.print("audit", "--verify", "--through", whole.document.end)).code).toBe(0);
    expect(await one.print("audit", "--verify", "--through", "7")).toMatchObject({ code: 2 });
    await administer(cluster.databaseUrl, async (client) => {
      await expect(client.query("delete from lockstep.audit where id = 2")).rejects.toThrow("only grows");
      await client.query("alter table lockstep.audit disable trigger user");
      await client.query("delete from lockstep.audit where id = 2");
      await client.query("alter table lockstep.audit enable trigger user");
    });
    const broken = await one.lockstep("audit", "--verify");
    expect(broken).toMatchObject({ code: 1, document: { verified: false, problem: "Row 2 was removed." } });
  });
});

// An operator drops a session of anybody, and may do nothing else with it.
import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { BeginWriteResponse__Output as Begun } from "../../src/generated/lockstep/v1/BeginWriteResponse.ts";
import { administer } from "../support/administer.ts";
import { expectAtRest } from "../support/at-rest.ts";
import { PATIENCE } from "../support/cluster-device.ts";
import {
  abort,
  bump,
  type Caller,
  callers,
  changed,
  cluster,
  DENIED,
  one,
  renew,
  startClusterWithCallers,
  two,
  withMain,
} from "../support/session-callers.ts";

startClusterWithCallers();

describe("an operator", () => {
  it.each<[string, Caller, (begun: Begun) => { token?: string; writeId?: string }]>([
    ["by its token, with a certificate", "ops", ({ token }) => ({ token })],
    ["by its id, with a certificate", "ops", ({ writeId }) => ({ writeId })],
    ["by its id, over the socket", "socket", ({ writeId }) => ({ writeId })],
  ])("drops anybody's session %s; its changes are kept, and the act is written down", async (_, operator, named) => {
    const { repository, first } = await withMain();
    const begun = await changed("web", repository, first);
    const dropped = await abort(callers[operator], repository, named(begun), "it holds up everyone");
    expect(dropped).toEqual({
      writeId: begun.writeId,
      savedRefs: [`refs/lockstep/dropped/${begun.writeId}/heads/made`],
    });
    expect(await abort(callers[operator], repository, named(begun))).toEqual(dropped);
    await expect(bump(callers.web, repository, begun.token)).rejects.toMatchObject({
      code: "WRITE_DROPPED",
      message: expect.stringContaining("it holds up everyone"),
    });
    const audit = await administer(cluster.databaseUrl, async (client) => {
      const text =
        "select author, action, device, detail from lockstep.audit where repository = $1 and action = 'drop session'";
      return (await client.query(text, [repository])).rows;
    });
    const detail = { write: begun.writeId, caller: "frontend web" };
    const author = operator === "ops" ? "operator web" : "operator local";
    expect(audit).toEqual([{ author, action: "drop session", device: one.name, detail }]);
    await expectAtRest(cluster, repository);
  });

  it("neither renews nor lands another's session, and learns its outcome when it is over", async () => {
    const { repository, first } = await withMain();
    const { token } = await changed("web", repository, first);
    await expect(renew(callers.ops, repository, token)).rejects.toMatchObject(DENIED);
    await expect(bump(callers.ops, repository, token)).rejects.toMatchObject(DENIED);
    const landed = await bump(callers.web, repository, token);
    expect(await bump(callers.ops, repository, token)).toEqual(landed);
    await expect(abort(callers.ops, repository, { token })).rejects.toMatchObject({ code: "WRITE_DROPPED" });
    await expectAtRest(cluster, repository);
  });

  it("drops a session on another device, which keeps what was changed", async () => {
    const { repository, first } = await withMain();
    const { writeId, token } = await changed("web", repository, first);
    expect(await two.call("AbortWrite", { repository, writeId }, PATIENCE)).toEqual({ writeId, savedRefs: [] });
    await expect(bump(callers.web, repository, token)).rejects.toMatchObject({ code: "WRITE_DROPPED" });
    const kept = `refs/lockstep/dropped/${writeId}/heads/made`;
    expect((await abort(callers.web, repository, { token })).savedRefs).toEqual([kept]);
    await expectAtRest(cluster, repository);
  });

  it("drops a session from the command line, on any device", async () => {
    const { repository, first } = await withMain();
    const { writeId, token } = await changed("web", repository, first);
    const { code, document } = await one.lockstep("lock", repository, "--end", writeId, "--reason", "too slow");
    const kept = [`refs/lockstep/dropped/${writeId}/heads/made`];
    expect([code, document]).toEqual([0, { repository, write_id: writeId, landed: false, saved_refs: kept }]);
    await expect(bump(callers.web, repository, token)).rejects.toMatchObject({
      message: expect.stringContaining("operator local ended it: too slow"),
    });
    expect((await two.print("lock", repository, "--end", writeId)).stdout).toContain(`${writeId} of ${repository} was`);
    expect((await two.print("lock", repository, "--end", writeId, "--", "true")).code).toBe(2);
    expect((await two.print("lock", repository, "--end", "it")).stderr).toContain("A write id is a UUID");
    await expectAtRest(cluster, repository);
  });

  it("cannot drop an ordinary write, or a session of another repository", async () => {
    const { repository, first } = await withMain();
    const { repository: other } = await withMain();
    const { writeId, token } = await changed("web", repository, first);
    const unknown = { code: "WRITE_NOT_FOUND" };
    await expect(abort(callers.ops, other, { writeId })).rejects.toMatchObject(unknown);
    await expect(abort(callers.ops, repository, { writeId: randomUUID() })).rejects.toMatchObject(unknown);
    await expect(abort(callers.ops, repository, {})).rejects.toMatchObject(unknown);
    const text =
      "select write_id as id from lockstep.ref_log l join lockstep.repository r on r.id = repository_id where r.name = $1";
    const pushes = await administer(
      cluster.databaseUrl,
      async (client) => (await client.query(text, [repository])).rows,
    );
    await expect(abort(callers.ops, repository, { writeId: pushes[0].id })).rejects.toMatchObject(unknown);
    await bump(callers.web, repository, token);
    await expectAtRest(cluster, repository);
  });
});

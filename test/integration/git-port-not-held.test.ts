// What the git port says to a device that does not hold the repository: nothing.
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { contentsOf } from "../support/git-port.ts";
import { APP, fixture } from "../support/git-port-fixture.ts";

describe("a device that does not hold the repository", () => {
  it("gets no refs, no pack and no word about the directory; it may ask about a name that no repository has", async () => {
    await using f = await fixture();
    const stranger = await f.authority.issue("device", "repo009");
    const tls = await contentsOf(stranger);
    const url = `https://${f.address}/${APP}.git`;
    await expect(f.git(stranger, "ls-remote", url)).rejects.toMatchObject({ stderr: expect.stringContaining("403") });
    const [row] = await f.cluster.sql<{ id: string }>("select id from lockstep.repository");
    const pack = { repositoryId: row!.id, version: "1", wants: [f.one], haves: [], visit: "first" };
    const ask = async (path: string, body: object) => {
      const response = await f.ask(path, { ...tls, method: "POST" }, JSON.stringify(body));
      return [response.statusCode, await text(response)];
    };
    expect(await ask("/v1/pack", pack)).toEqual([403, expect.stringContaining("does not hold this repository")]);
    expect(await ask("/v1/directory", { repository: APP })).toEqual([403, expect.stringContaining("does not hold")]);
    expect((await ask("/v1/directory", { repository: "team/new" }))[0]).toBe(200);
    // The control: with a row it gets all of that.
    await f.cluster.sql("insert into lockstep.device (name) values ('repo009')");
    await f.cluster.sql(
      "insert into lockstep.replica (repository_id, device) select id, 'repo009' from lockstep.repository",
    );
    expect((await ask("/v1/pack", pack))[0]).toBe(200);
    expect((await ask("/v1/directory", { repository: APP }))[0]).toBe(200);
    await f.git(stranger, "ls-remote", url);
  });

  it("has nobody copy objects for it, nor does one that may not write or whose sidecar is away", async () => {
    await using f = await fixture();
    const tls = await contentsOf(f.peer);
    const [row] = await f.cluster.sql<{ id: string }>("select id from lockstep.repository");
    const hold = async (refs: string[] = []) => {
      const body = { repositoryId: row!.id, wants: [f.one], haves: [], refs };
      const response = await f.ask("/v1/hold", { ...tls, method: "POST" }, JSON.stringify(body));
      return [response.statusCode, await text(response)];
    };
    const set = (to: string) => f.cluster.sql(`update lockstep.device set ${to} where name = 'repo002'`);
    const refused = [403, expect.stringContaining("writes nothing to this repository")];
    expect(await hold()).toEqual(refused);
    await f.cluster.sql("update lockstep.replica set state = 'active' where device = 'repo002'");
    await set("expires_at = clock_timestamp() + interval '1 minute'");
    // It may, and then cannot be reached.
    expect((await hold())[0]).not.toBe(403);
    expect(await hold(["refs/lockstep/lost/1"])).toEqual([400, expect.stringContaining("wrong name of a ref")]);
    await set("writes = false");
    expect(await hold()).toEqual(refused);
    await set("writes = true, revoked_at = clock_timestamp()");
    expect(await hold()).toEqual(refused);
  });
});

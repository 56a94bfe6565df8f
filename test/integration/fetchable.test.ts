// What a device may fetch by its id: over the pack stream, with stock git over https, and with git over ssh.
import { describe, expect, it, vi } from "vitest";
import { CopyNotWanted } from "../../src/git/peers/pack-requests.ts";
import { PackClient } from "../../src/git/peers/pack-stream.ts";
import { TlsLine } from "../../src/git/peers/peer-lines.ts";
import {
  APP,
  a,
  address,
  ask,
  cluster,
  ids,
  onRefused,
  overSsh,
  ROUTES,
  refusalIn,
  startFetchableSite,
  tls,
  V0,
} from "../support/fetchable-site.ts";
import { processesAt } from "../support/git.ts";
import { TRUST_DOMAIN } from "../support/git-port.ts";
import { change, SOON } from "../support/sync-device.ts";

startFetchableSite();

const REFUSED = "so device repo002 may not fetch it by its id";

describe.each(Object.keys(ROUTES))("a device that asks for an id over %s", (route) => {
  const fetch = ROUTES[route]!;

  it.each(["tip", "old", "gone"])("gets what a ref has or had: %s", async (which) => {
    expect(await fetch(ids[which]!)).toEqual({});
  });

  it.each(["dropped", "lost", "copy", "loose", "blob", "middle", "absent"])(
    "gets nothing that no ref ever had: %s",
    async (which) => {
      const { refusal } = await fetch(ids[which]!);
      expect(refusal).toContain(`No ref has the object ${ids[which]}`);
      expect(refusal).toContain(REFUSED);
    },
  );
});

describe("git over ssh", () => {
  it("has the exact name of the repository, behind a slash, or the whole path", async () => {
    for (const name of [APP, `/${APP}.git`, a.gitDir(APP)])
      expect(refusalIn(await overSsh(V0(ids.tip!), undefined, name))).toEqual({});
    for (const name of [
      `//${APP}.git`,
      "team//app.git",
      `${APP}.git/`,
      `${APP}.git.git`,
      `${a.context.root}//${APP}.git`,
    ])
      expect(await overSsh(V0(ids.tip!), undefined, name), name).toMatch(
        /^lockstep: The repository name ".*" has a part/,
      );
  });
});

describe("what a device may fetch by its id", () => {
  it("is asked of the database once, and not for what this device has read from the log", async () => {
    const statements: string[] = [];
    a.onStatement = async (text, run) => {
      if (/repository_ref f|ref_log_update u/.test(text)) statements.push(text);
      return await run();
    };
    const { id } = a.replica(APP);
    const { fetchable } = a.context;
    const next = await a.commit(APP, "next", { parents: [ids.tip!] });
    await a.push(APP, [change("main", ids.tip!, next)]);
    statements.length = 0;
    await fetchable.check("repo002", id, [next]);
    await fetchable.check("repo003", id, [next]);
    expect(statements).toHaveLength(1);
    const b = cluster.devices.get("repo002")!;
    await b.read(APP);
    b.onStatement = () => Promise.reject(new Error("it asked"));
    await b.context.fetchable.check("repo001", id, [next]);
    await expect(b.context.fetchable.check("repo001", id, [ids.loose!])).rejects.toThrow("it asked");
    b.onStatement = a.onStatement = (_, run) => run();
  });

  it("may be found out after git has made the whole pack: nothing of it is lost", async () => {
    const { id } = a.replica(APP);
    const next = await a.commit(APP, "slow", { parents: [ids.tip!] });
    const { "refs/heads/main": main } = await a.refs(APP);
    await a.push(APP, [change("main", main!, next)]);
    const packing = async () => (await processesAt(a.gitDir(APP))).filter((each) => each.includes("pack-objects"));
    await a.gitCommands();
    a.onStatement = async (text, run) => {
      if (!text.includes("ref_log_update u")) return await run();
      await vi.waitFor(async () => expect((await a.gitCommands()).join()).toContain("pack-objects"), SOON);
      await vi.waitFor(async () => expect(await packing()).toEqual([]), SOON);
      return await run();
    };
    const body = { repositoryId: id, version: "9", visit: "last", wants: [next], haves: [ids.tip] };
    const { status, body: pack } = await ask("/v1/pack", {}, JSON.stringify(body));
    a.onStatement = (_, run) => run();
    expect(status).toBe(200);
    expect(pack).toMatch(/^PACK/);
  });

  it("includes what it is asked to copy, while it is asked, and for nobody else", async () => {
    const { fetchable } = a.context;
    const { id } = a.replica(APP);
    const check = async (device: string) => await fetchable.check(device, id, [ids.loose!]);
    const offer = fetchable.offer(id, "repo002", [ids.loose!]);
    {
      using _ = fetchable.offer(id, "repo002", [ids.loose!]);
      await check("repo002");
    }
    await check("repo002");
    await expect(check("repo003")).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
    offer[Symbol.dispose]();
    await expect(check("repo002")).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  });

  it("is, for a copy, what this device asks to have copied, and nothing that is in the log", async () => {
    const { id } = a.replica(APP);
    const { fetchable } = a.context;
    const copyOf = async (wants: string[]) => {
      const body = { repositoryId: id, version: "0", visit: "last", wants, haves: [], copy: true };
      return await ask("/v1/pack", {}, JSON.stringify(body));
    };
    const said = "Device repo001 does not ask for copies of these objects now.\n";
    expect(await copyOf([ids.tip!])).toEqual({ status: 409, body: said });
    const body = { repositoryId: id, version: "0", visit: "last", wants: [ids.tip!], haves: [], copy: true } as const;
    using line = new TlsLine(tls, TRUST_DOMAIN);
    const asked = new PackClient(line).open("repo001", address, body, AbortSignal.timeout(SOON.timeout), () => {});
    await expect(asked).rejects.toBeInstanceOf(CopyNotWanted);
    using _ = fetchable.offer(id, "repo002", [ids.tip!, ids.loose!]);
    expect((await copyOf([ids.tip!, ids.loose!])).body).toMatch(/^PACK/);
    expect((await copyOf([ids.tip!, ids.old!])).status).toBe(409);
    const other = fetchable.offer(id, "repo003", [ids.old!]);
    expect((await copyOf([ids.old!])).status).toBe(409);
    other[Symbol.dispose]();
  });

  it("is told to the audit when it is refused", () => {
    expect(onRefused).toHaveBeenCalledWith(
      expect.objectContaining({
        who: "device repo002",
        code: "PERMISSION_DENIED",
        why: expect.stringContaining(REFUSED),
      }),
    );
  });
});

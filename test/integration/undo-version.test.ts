import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { adoptRepository } from "../../src/sync/adopt/adopt-repository.ts";
import { plainRepository } from "../support/plain-repository.ts";
import { update } from "../support/refs.ts";
import { beginSession, bumpSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change } from "../support/sync-device.ts";
import { APP, ask, expectEverywhere, head, landed, undo, withMistakes } from "../support/undoing.ts";

const run = promisify(execFile);

describe("undo of a version", () => {
  it("shows each ref with its value now and its earlier one, and changes nothing without a confirmation", async () => {
    await using cluster = await TestCluster.make();
    const { a, two, forced } = await withMistakes(cluster);
    const { plan, landed: version } = await ask(a, 2);
    expect(version).toBeNull();
    expect(plan.updates).toEqual([change("main", forced, two)]);
    expect(plan.entry).toMatchObject({ version: 2n, author: "ada", device: "repo001" });
    expect(plan.lost.commits.map(({ subject }) => subject)).toEqual(["forced"]);
    expect(plan.gained.commits.map(({ subject }) => subject)).toEqual(["two", "one"]);
    expect(await head(cluster)).toBe("3");
  });

  it("takes a force push and a deletion back, as versions of their own that every device follows", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, two } = await withMistakes(cluster);
    expect(await undo(a, 3)).toMatchObject({ landed: 4n });
    expect(await undo(b, 2)).toMatchObject({ landed: 5n });
    await expectEverywhere([a, b], { "refs/heads/main": two, "refs/heads/topic": two });
    const audit = await cluster.sql(
      "select author, action, repository, device, detail from lockstep.audit order by id",
    );
    expect(audit).toMatchObject([
      {
        author: "olga",
        action: "undo",
        repository: APP,
        device: "repo001",
        detail: { undoes: "3", version: "4", refs: "1", reason: "undo of version 3: it was a mistake" },
      },
      { device: "repo002", detail: { undoes: "2", version: "5" } },
    ]);
    const writes = await cluster.sql("select author, reason from lockstep.write where version = 5");
    expect(writes).toEqual([{ author: "olga", reason: "undo of version 2: it was a mistake" }]);
    expect(await cluster.sql("select author from lockstep.ref_log where version > 3")).toEqual([
      { author: "olga" },
      { author: "olga" },
    ]);
  });

  it("can be undone itself, and versions can be undone one after the other from the newest", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, forced } = await withMistakes(cluster);
    await undo(a, 3);
    await undo(a, 4);
    await expectEverywhere([a, b], { "refs/heads/main": forced });
    await undo(a, 5);
    await undo(b, 2);
    await undo(b, 1);
    await expectEverywhere([a, b], {});
  });

  it("takes refs back that leave no room for each other", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    await landed(a, change("topic", null, one), change("main", null, one));
    await landed(a, change("topic", one, null), change("topic/a", null, one));
    await undo(b, 2);
    await expectEverywhere([a, b], { "refs/heads/main": one, "refs/heads/topic": one });
  });

  it("takes back what a session did to HEAD and to an alias", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await cluster.pair(APP);
    const one = await a.commit(APP, "one");
    await landed(a, change("main", null, one), change("dev", null, one));
    const session = await beginSession(a, APP);
    const env = { ...process.env, GIT_DIR: session.path };
    await run("git", ["symbolic-ref", "HEAD", "refs/heads/dev"], { env });
    await run("git", ["symbolic-ref", "refs/heads/alias", "refs/heads/main"], { env });
    await bumpSession(a, APP, session.token);
    const { plan } = await undo(b, 2);
    expect(plan.updates).toEqual([
      update("HEAD", "ref: refs/heads/dev", "ref: refs/heads/main"),
      update("refs/heads/alias", "ref: refs/heads/main", null),
    ]);
    await expectEverywhere([a, b], { "refs/heads/dev": one, "refs/heads/main": one });
  });

  it("undo of an adoption removes the refs that it brought, and leaves HEAD", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = [await cluster.start("repo001"), await cluster.start("repo002")];
    const { main } = await plainRepository(a.gitDir(APP), ["main"]);
    const { signal } = a.context;
    await adoptRepository(a.context, APP, { from: undefined, dryRun: false, author: "olga", signal });
    const { plan, landed: version } = await undo(b, 1);
    expect(plan.updates).toEqual([change("main", main!, null)]);
    expect(version).toBe(2n);
    await expectEverywhere([a, b], {});
    expect(await undo(a, 2)).toMatchObject({ landed: 3n });
    await expectEverywhere([a, b], { "refs/heads/main": main! });
  });

  it("lands beside pushes to other refs that came since it was shown", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, two, forced } = await withMistakes(cluster);
    const { confirmation } = await ask(a, 2);
    await landed(b, change("other", null, forced));
    let pushed = false;
    a.onStatement = async (text, call) => {
      if (text.includes("stage_write") && !pushed) {
        pushed = true;
        await landed(b, change("another", null, forced));
      }
      return await call();
    };
    expect(await ask(a, 2, confirmation)).toMatchObject({ landed: 6n });
    await expectEverywhere([a, b], {
      "refs/heads/main": two,
      "refs/heads/other": forced,
      "refs/heads/another": forced,
    });
  });
});

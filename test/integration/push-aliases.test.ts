// A push through a symbolic ref changes its target, and leaves the symbolic ref. What git does with the same push is
// compared in test/e2e/as-git-does.test.ts.
import { describe, expect, it } from "vitest";
import { ALIAS, APP, expectWell, MAIN, TO_MAIN, withAlias } from "../support/alias-to-main.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change } from "../support/sync-device.ts";
import { log } from "../support/write-rows.ts";

describe("a push through an alias", () => {
  it("moves, deletes and makes its target, as git does, and leaves the alias", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await withAlias(cluster, "symbolic-ref HEAD refs/heads/other");
    const [one, two, three] = history;
    for (const [oldValue, newValue] of [
      [one, two],
      [two, null],
      [null, three],
    ] as const) {
      expect(await a.push(APP, [change(ALIAS, oldValue, newValue)])).toEqual({ [ALIAS]: null });
      expect(await a.refs(APP)).toMatchObject({ [ALIAS]: TO_MAIN, ...(newValue && { [MAIN]: newValue }) });
      expect((await log(cluster)).at(-1)?.names).toEqual([MAIN]);
      await expectWell([a, b]);
    }
  });

  it("goes over several aliases, beside other refs, and from a device that has just heard of them", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await withAlias(cluster, `symbolic-ref refs/heads/second ${ALIAS}`);
    const [one] = history;
    const two = await b.commit(APP, "two", { parents: [one] });
    expect(await b.push(APP, [change("second", one, two), change("new", null, two)])).toEqual({
      "refs/heads/second": null,
      "refs/heads/new": null,
    });
    expect((await log(cluster)).at(-1)?.names).toEqual([MAIN, "refs/heads/new"]);
    await expectWell([a, b]);
  });

  it("is refused where its target is not as the pusher saw it", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await withAlias(cluster);
    const [one, two, three] = history;
    expect(await a.push(APP, [change(ALIAS, two, three), change("other", one, two)])).toEqual({
      [ALIAS]: "fetch first",
      "refs/heads/other": null,
    });
    expect(await a.push(APP, [change(ALIAS, two, three), change("other", two, one)], { atomic: true })).toEqual({
      [ALIAS]: "fetch first",
      "refs/heads/other": "atomic push failure",
    });
    await expectWell([a, b]);
  });

  it("a push through an alias and to its target at once is one change, or refused where they differ", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await withAlias(cluster);
    const [one, two, three] = history;
    expect(await a.push(APP, [change(ALIAS, one, two), change("main", one, two)])).toEqual({
      [ALIAS]: null,
      [MAIN]: null,
    });
    const inconsistent = "inconsistent aliased update";
    expect(await a.push(APP, [change(ALIAS, two, one), change("main", two, three), change("new", null, one)])).toEqual({
      [ALIAS]: inconsistent,
      [MAIN]: inconsistent,
      "refs/heads/new": null,
    });
    expect(
      await a.push(APP, [change(ALIAS, two, one), change("main", two, three), change("more", null, one)], {
        atomic: true,
      }),
    ).toEqual({
      [ALIAS]: inconsistent,
      [MAIN]: inconsistent,
      "refs/heads/more": "atomic push failure",
    });
    expect((await a.refs(APP))[MAIN]).toBe(two);
    await expectWell([a, b]);
  });

  it("is refused if the alias leads in a circle", async () => {
    await using cluster = await TestCluster.make();
    const { a, b, history } = await withAlias(
      cluster,
      "symbolic-ref refs/heads/x refs/heads/y",
      "symbolic-ref refs/heads/y refs/heads/x",
    );
    expect(await a.push(APP, [change("x", null, history[0]), change("ok", null, history[0])])).toEqual({
      "refs/heads/x": "broken symref",
      "refs/heads/ok": null,
    });
    await expectWell([a, b]);
  });
});

// A hook in the directory of a repository runs only if it is the sidecar's user's own, and only for a push.
import { chmod, chown, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { nameFromLatin1, refAuthor, valueFromLatin1 } from "../../src/domain.ts";
import { hookFolder } from "../../src/git/ref-hook.ts";
import { applyRefs } from "../../src/git/refs/refs.ts";
import { RefTransaction } from "../../src/git/transactions/ref-transaction.ts";
import { Place } from "../support/malicious-place.ts";

describe("a hook reference-transaction", () => {
  const author = refAuthor("ada");

  async function withHook(): Promise<Place> {
    const place = await Place.make();
    await mkdir(join(place.gitDir, "hooks"), { recursive: true });
    await writeFile(join(place.gitDir, "hooks/reference-transaction"), `#!/bin/sh\nexec ${place.evil} "$@"\n`, {
      mode: 0o755,
    });
    return place;
  }

  it("a hook reference-transaction of the sidecar's user runs for a push, and for nothing else", async () => {
    await using place = await withHook();
    await using transaction = new RefTransaction(place.context, place.gitDir, { author });
    const change = { name: nameFromLatin1("refs/heads/main"), newValue: valueFromLatin1(place.commits[0]!) };
    expect(await transaction.prepare([change])).toMatchObject({ message: expect.stringMatching(/abort/) });
    expect(await place.ran()).toContain("evil prepared");
    await applyRefs(place.context, place.gitDir, new Map([[change.name, change.newValue]]));
    expect(await place.ran()).toBe("");
  });

  /** Only root may give files away. */
  const GIVEN_AWAY: [string, (place: Place) => Promise<unknown>, string][] =
    process.getuid?.() === 0
      ? [
          [
            "of another user",
            (place) => chown(join(place.gitDir, "hooks/reference-transaction"), 65_534, 65_534),
            "hooks/reference-transaction",
          ],
        ]
      : [];

  it.each<[string, (place: Place) => Promise<unknown>, string]>([
    ...GIVEN_AWAY,
    [
      "that others may write",
      (place) => chmod(join(place.gitDir, "hooks/reference-transaction"), 0o777),
      "hooks/reference-transaction",
    ],
    ["in a folder that others may write", (place) => chmod(join(place.gitDir, "hooks"), 0o775), "hooks"],
    ["in a repository that others may write", (place) => chmod(place.gitDir, 0o775), ""],
    [
      "that is a link to a place that others may write",
      async (place) => {
        const hook = join(place.gitDir, "hooks/reference-transaction");
        await mkdir(join(place.dir, "open"));
        await writeFile(join(place.dir, "open/hook"), "#!/bin/sh\n", { mode: 0o755 });
        await chmod(join(place.dir, "open"), 0o777);
        await rm(hook);
        await symlink("../../open/hook", hook);
      },
      "../open",
    ],
  ])("%s is not run, and the push is refused with the place", async (_, loosen, where) => {
    await using place = await withHook();
    await loosen(place);
    expect(() => new RefTransaction(place.context, place.gitDir, { author })).toThrow(
      expect.objectContaining({ code: "PREREQUISITE_MISSING", details: { path: join(place.gitDir, where) } }),
    );
    expect(await place.ran()).toBe("");
    // What has landed goes on: no hook is asked.
    expect(hookFolder(place.gitDir, { ...author, hooks: "/nowhere" })).toBeUndefined();
    await applyRefs(
      place.context,
      place.gitDir,
      new Map([[nameFromLatin1("refs/heads/main"), valueFromLatin1(place.commits[0]!)]]),
    );
    expect(await place.ran()).toBe("");
  });
});

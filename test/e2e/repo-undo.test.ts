import { describe, expect, it } from "vitest";
import { ada, cluster, one, startClusterOfFile, two } from "../support/file-cluster.ts";

startClusterOfFile();

/** A branch was forced away from `first`, and another one was deleted, in version 2. */
async function forced() {
  const repository = await cluster.createRepository();
  const first = await ada.commit();
  await ada.land(one.url(repository), `${first}:refs/heads/main`, `${first}:refs/heads/topic`);
  const other = await ada.commit();
  await ada.land(one.url(repository), `+${other}:refs/heads/main`, ":refs/heads/topic");
  return { repository, first, other };
}

describe("lockstep repo undo", () => {
  it("shows each ref with both values, and does exactly that with --yes", async () => {
    const { repository, first, other } = await forced();
    const args = ["repo", "undo", repository, "--version", "2"];
    const shown = await two.print(...args);
    expect(shown.code).toBe(2);
    expect(shown.stderr).toMatch(/^lockstep: There is no terminal to ask on, so nothing was changed; .*--yes\.\n$/);
    expect(shown.stdout).toMatch(
      new RegExp(`^${repository}: version 3 is the opposite of version 2 \\(.* on repo001, (.* ago|just now)\\)\\.\n`),
    );
    expect(shown.stdout).toContain(`refs/heads/main   ${other.slice(0, 10)}  ${first.slice(0, 10)}\n`);
    expect(shown.stdout).toContain(`refs/heads/topic  (none)      ${first.slice(0, 10)}\n`);

    const planned = await two.lockstep(...args);
    const plan = {
      name: repository,
      done: false,
      undoes: 2,
      version: 3,
      updates: [
        { ref: "refs/heads/main", old: other, new: first },
        { ref: "refs/heads/topic", old: null, new: first },
      ],
      more: 0,
      lost: { commits: [{ id: other }], more: 0, not_here: [] },
      gained: { commits: [{ id: first }], more: 0, not_here: [] },
    };
    expect(planned).toMatchObject({ code: 3, document: plan });
    expect((await two.lockstep("log", repository)).document.log).toHaveLength(2);

    const done = await two.print(...args, "--reason", "forced by mistake", "--yes");
    expect(done).toMatchObject({ code: 0, stderr: "" });
    const timeless = (text: string) => text.replace(/, (?:[^,]* ago|just now)\)/, ")");
    expect(timeless(done.stdout)).toBe(timeless(`${shown.stdout}\nDone: ${repository} is at version 3.\n`));
    const { stdout } = await cluster.git.run(["ls-remote", one.url(repository)], {});
    expect(stdout).toContain(`${first}\trefs/heads/main\n${first}\trefs/heads/topic\n`);
    const { document } = await one.lockstep("log", repository);
    expect(document.log[0]).toMatchObject({ version: 3, device: "repo002", updates: plan.updates });

    // Undone by mistake: the undo is a version like any other.
    expect(await one.lockstep("repo", "undo", repository, "--version", "3", "--yes")).toMatchObject({
      code: 0,
      document: { done: true, undoes: 3, version: 4 },
    });
  });

  it("lists the refs that have changed since and ends with 1", async () => {
    const { repository, first, other } = await forced();
    const third = await ada.commit(other);
    await ada.land(one.url(repository), `${third}:refs/heads/main`);
    const refused = await one.lockstep("repo", "undo", repository, "--version", "2", "--yes");
    expect(refused).toMatchObject({
      code: 1,
      document: { error: { code: "UNDO_REFUSED", details: { refs: "refs/heads/main" } } },
    });
    expect(refused.document.error.message).toContain(`refs/heads/main was set to ${other} and is now ${third}`);
    expect((await two.lockstep("log", repository)).document.log).toHaveLength(3);
    expect(first).not.toBe(third);
  });

  it.each([
    [["--version", "nine"], 2, "USAGE"],
    [["--version", "0"], 2, "USAGE"],
    [[], 2, "USAGE"],
    [["--version", "9"], 1, "UNDO_REFUSED"],
  ] as const)("with %s ends with %i", async (args, code, error) => {
    const { repository } = await forced();
    expect(await one.lockstep("repo", "undo", repository, ...args)).toMatchObject({
      code,
      document: { error: { code: error } },
    });
  });

  it("undo in a repository that does not exist ends with 1", async () => {
    expect(await one.lockstep("repo", "undo", "team/none", "--version", "1")).toMatchObject({
      code: 1,
      document: { error: { code: "REPOSITORY_NOT_FOUND" } },
    });
  });
});

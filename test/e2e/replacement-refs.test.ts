// Whoever may push can push replacement refs. What they show must not take part in what a write is checked for: what one git
// accepts with them no other device could follow.
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { expectAtRest } from "../support/at-rest.ts";
import { PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile, two } from "../support/file-cluster.ts";
import { pushInto, pushOverHttp, type RawPush, withoutFsck, writeObject } from "../support/raw-push.ts";

startClusterOfFile();

const NOBODY_HAS = "1234567890123456789012345678901234567890";
const PERSON = "Ada <ada@example.com> 1700000000 +0000";

const write = (type: string, content: string | Buffer) => writeObject(cluster.git, ada.dir, type, content);
/** Through a front end that does not ask the sidecar, and whose git follows replacements whatever the repository says. */
const push = (repository: string, request: RawPush, device = one) =>
  pushInto(cluster.git, ada.dir, device.gitDir(repository), ["core.useReplaceRefs=true"], request);

async function commitOf(tree: string, parent?: string): Promise<string> {
  const parents = parent === undefined ? "" : `parent ${parent}\n`;
  return await write("commit", `tree ${tree}\n${parents}author ${PERSON}\ncommitter ${PERSON}\n\nodd\n`);
}

/** A tree with one entry. */
async function treeOf(entry: string, mode = "100644"): Promise<string> {
  return await write("tree", Buffer.concat([Buffer.from(`${mode} file\0`), Buffer.from(entry, "hex")]));
}

interface Odd {
  /** What is to be replaced, or needs something that is, and nobody has all of it. */
  readonly tip: string;
  readonly replaced: string;
  readonly by: string;
  /** The objects that are pushed with the tip, but for the replacement. */
  readonly objects: readonly string[];
}

/** Each makes a tip that is whole only where a replacement is followed. */
const ODD: Record<string, (base: string) => Promise<Odd>> = {
  async "a commit whose parent nobody has"(base) {
    const blob = await write("blob", `fine ${base}`);
    const tree = await treeOf(blob);
    const tip = await commitOf(tree, NOBODY_HAS);
    const by = await commitOf(tree, base);
    return { tip, replaced: tip, by, objects: [tip, tree, blob] };
  },
  async "a commit whose tree nobody has"(base) {
    const tree = await treeOf(await write("blob", `fine ${base}`));
    const tip = await commitOf(NOBODY_HAS, base);
    return { tip, replaced: tip, by: await commitOf(tree, base), objects: [tip] };
  },
  async "a tree with a blob that nobody has"(base) {
    const blob = await write("blob", `fine ${base}`);
    const tree = await treeOf(NOBODY_HAS);
    const tip = await commitOf(tree, base);
    return { tip, replaced: tree, by: await treeOf(blob), objects: [tip, tree] };
  },
  async "a blob that nobody has"(base) {
    const missing = await write("blob", `missing ${base}`);
    const tree = await treeOf(missing);
    const tip = await commitOf(tree, base);
    return { tip, replaced: missing, by: await write("blob", `instead ${base}`), objects: [tip, tree] };
  },
  async "a tag of a commit that nobody has"(base) {
    const tag = (object: string) => write("tag", `object ${object}\ntype commit\ntag v\ntagger ${PERSON}\n\nv\n`);
    const tip = await tag(NOBODY_HAS);
    return { tip, replaced: tip, by: await tag(base), objects: [tip] };
  },
};

/** What the replacement needs and the server does not have yet. */
async function needed(by: string, base: string): Promise<string[]> {
  const list = await cluster.git.git(["rev-list", "--objects", "--no-object-names", by, `^${base}`], {
    cwd: ada.dir,
    env: { GIT_NO_REPLACE_OBJECTS: "1" },
  });
  const type = await cluster.git.git(["cat-file", "-t", by], { cwd: ada.dir });
  return [...new Set([...list.split("\n").filter(Boolean), ...(type === "blob" || type === "tree" ? [by] : [])])];
}

/** git refuses most incomplete packs itself. The check of the sidecar must hold without that. */
async function begin(): Promise<{ repository: string; base: string }> {
  const repository = await cluster.createRepository();
  for (const device of cluster.devices) await withoutFsck(device.gitDir(repository));
  const base = await ada.commit();
  await ada.land(one.url(repository), `${base}:refs/heads/main`);
  return { repository, base };
}

async function expectNobodyIsHarmed(repository: string, base: string): Promise<void> {
  const next = await ada.commit(base);
  await ada.land(one.url(repository), `${next}:refs/heads/main`);
  for (const device of cluster.devices) {
    const verified = await device.call("VerifyReplica", { repository, full: true }, PATIENCE);
    expect(verified).toMatchObject({ differences: [], damage: [] });
  }
  await expectAtRest(cluster, repository);
}

it.each(Object.keys(ODD))("%s lands neither behind its replacement nor together with it", async (what) => {
  const { repository, base } = await begin();
  const { tip, replaced, by, objects } = await ODD[what]!(base);
  await ada.land(one.url(repository), `${by}:refs/replace/${replaced}`);
  const names = ["refs/tags/odd", ...(what.startsWith("a tag") ? [] : ["refs/heads/odd"])];
  for (const device of [one, two]) {
    for (const [index, name] of names.entries()) {
      const request = { commands: [{ name, newId: tip }], objects: index === 0 ? objects : [] };
      const answer = await push(repository, request, device);
      // git looks for a blob, and for what is tagged, as they are.
      const hint =
        what.startsWith("a blob") || what.startsWith("a tag") ? "" : ", push from a clone with the whole history";
      expect(answer).toContain(`ng ${name} missing necessary objects${hint}`);
    }
  }
  const other = await begin();
  const odd = await ODD[what]!(other.base);
  const both = [...odd.objects, ...(await needed(odd.by, other.base))];
  const commands = [
    { name: `refs/replace/${odd.replaced}`, newId: odd.by },
    { name: "refs/tags/odd", newId: odd.tip },
  ];
  expect(await push(other.repository, { commands, objects: both })).toContain("ng refs/tags/odd missing");
  await expectNobodyIsHarmed(repository, base);
  await expectNobodyIsHarmed(other.repository, other.base);
});

it("a whole ref lands beside one that is not", async () => {
  const { repository, base } = await begin();
  const { tip, replaced, by, objects } = await ODD["a commit whose parent nobody has"]!(base);
  await ada.land(one.url(repository), `${by}:refs/replace/${replaced}`);
  const commands = [
    { name: "refs/heads/a", newId: base },
    { name: "refs/heads/odd", newId: tip },
    { name: "refs/heads/z", newId: by },
  ];
  const answer = await push(repository, { commands, objects });
  expect(answer).toContain("ok refs/heads/a");
  expect(answer).toMatch(/ng refs\/heads\/odd missing/);
  expect(answer).toContain("ok refs/heads/z");
  await expectNobodyIsHarmed(repository, base);
});

it("the old value that a pusher claims says nothing of what is here", async () => {
  const { repository, base } = await begin();
  const { tip, replaced, by, objects } = await ODD["a commit whose parent nobody has"]!(base);
  await ada.land(one.url(repository), `${by}:refs/replace/${replaced}`);
  const child = await commitOf(await cluster.git.git(["rev-parse", `${base}^{tree}`], { cwd: ada.dir }), tip);
  const commands = [
    { name: "refs/heads/main", oldId: tip, newId: base },
    { name: "refs/heads/odd", newId: child },
  ];
  const answer = await push(repository, { commands, objects: [...objects, child] });
  expect(answer).toMatch(/ng refs\/heads\/odd missing/);
  await expectNobodyIsHarmed(repository, base);
});

it("a replacement hides no rewind from receive.denyNonFastForwards", async () => {
  const { repository, base } = await begin();
  await appendFile(join(one.gitDir(repository), "config"), "[receive]\n\tdenyNonFastForwards = true\n");
  const apart = await ada.commit();
  const joined = await commitOf(await cluster.git.git(["rev-parse", `${apart}^{tree}`], { cwd: ada.dir }), base);
  await ada.land(one.url(repository), `${joined}:refs/replace/${apart}`, `${apart}:refs/heads/apart`);
  const commands = [{ name: "refs/heads/main", oldId: base, newId: apart }];
  expect(await push(repository, { commands, objects: [] })).toContain("ng refs/heads/main non-fast-forward");
  await expectNobodyIsHarmed(repository, base);
});

it("the gate's git follows no replacement, even if the repository's settings ask for it", async () => {
  const { repository, base } = await begin();
  await appendFile(join(one.gitDir(repository), "config"), "[core]\n\tuseReplaceRefs = true\n");
  const { tip, replaced, by, objects } = await ODD["a commit whose parent nobody has"]!(base);
  await ada.land(one.url(repository), `${by}:refs/replace/${replaced}`);
  const request = { commands: [{ name: "refs/heads/odd", newId: tip }], objects };
  const answer = await pushOverHttp(cluster.git, ada.dir, one.url(repository), request);
  expect(answer).toContain("ng refs/heads/odd missing necessary objects\n");
  await expectNobodyIsHarmed(repository, base);
});

it("the settings of a replica bind a git that knows nothing of us", async () => {
  const { repository, base } = await begin();
  const { tip, replaced, by, objects } = await ODD["a commit whose parent nobody has"]!(base);
  await ada.land(one.url(repository), `${by}:refs/replace/${replaced}`);
  const request = { commands: [{ name: "refs/heads/odd", newId: tip }], objects };
  const answer = await pushInto(cluster.git, ada.dir, one.gitDir(repository), [], request);
  expect(answer).toContain("ng refs/heads/odd missing necessary objects\n");
});

it("a replica that was made before has the settings once its sidecar has touched it", async () => {
  const { repository } = await begin();
  const settings = join(one.gitDir(repository), "lockstep.config");
  const before = (await readFile(settings, "utf8")).replace(/\t(useReplaceRefs|shallowUpdate) = false\n/g, "");
  await one.kill();
  await writeFile(settings, before);
  await one.start();
  await one.call("BeforeRead", { repository }, PATIENCE);
  for (const name of ["core.useReplaceRefs", "receive.shallowUpdate"]) {
    const args = ["-c", "safe.directory=*", "config", "--get", name];
    expect(await cluster.git.git(args, { cwd: one.gitDir(repository) })).toBe("false");
  }
});

// The directory of a repository is data. Its files must not make a git of ours run a program, or read elsewhere.
import { chmod, chown, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import { nameFromLatin1, refAuthor, valueFromLatin1 } from "../../src/domain.ts";
import { listCommits } from "../../src/git/objects/commits.ts";
import { existingObjects, isConnected, objectTypes, unreachable } from "../../src/git/objects/connectivity.ts";
import { receivePack } from "../../src/git/objects/receive-pack.ts";
import { startPack } from "../../src/git/objects/send-pack.ts";
import { findDamage } from "../../src/git/packs/damage.ts";
import { viewPacks } from "../../src/git/packs/pack-view.ts";
import { putInPlace, repackAll } from "../../src/git/packs/repack.ts";
import { rollUpPacks } from "../../src/git/packs/roll-up-packs.ts";
import type { GitContext } from "../../src/git/process.ts";
import { isFastForward } from "../../src/git/receive-policy.ts";
import { hookFolder, withHooks } from "../../src/git/ref-hook.ts";
import { packRefs } from "../../src/git/refs/pack-refs.ts";
import { applyRefs, isReachable, readRefNames, readRefs } from "../../src/git/refs/refs.ts";
import { currentBranch } from "../../src/git/refs/symbolic-refs.ts";
import { readTips } from "../../src/git/refs/tips.ts";
import { readOwnSettings } from "../../src/git/replica/own-settings.ts";
import { initialConfig } from "../../src/git/replica/repository.ts";
import { RefTransaction } from "../../src/git/transactions/ref-transaction.ts";
import { gitVersion } from "../../src/git/version.ts";
import { startGit } from "../../src/smart-http/git-child.ts";
import { type GitSandbox, gitSandbox } from "../support/git.ts";

const MISSING = "12".repeat(20);
const { signal } = new AbortController();

/** A repository with three commits, the last with a signature, and a program that notes each of its starts. */
class Place implements AsyncDisposable {
  readonly dir: string;
  readonly gitDir: string;
  readonly evil: string;
  readonly context: GitContext;
  commits: string[] = [];
  readonly #sandbox: GitSandbox;

  private constructor(sandbox: GitSandbox) {
    this.#sandbox = sandbox;
    this.dir = sandbox.dir;
    this.gitDir = join(sandbox.dir, "app.git");
    this.evil = join(sandbox.dir, "evil");
    this.context = { path: process.env.PATH ?? "", home: sandbox.dir, lockFd: null };
  }

  static async make(): Promise<Place> {
    const place = new Place(await gitSandbox());
    await writeFile(place.evil, `#!/bin/sh\necho "$0 $*" >>${place.dir}/ran\nexit 1\n`, { mode: 0o755 });
    const tree = await place.#sandbox.workTree("work");
    const one = await place.#sandbox.commit(tree, "one", { a: "1" });
    const two = await place.#sandbox.commit(tree, "two", { a: "2" });
    const body = (await place.#sandbox.git(["cat-file", "commit", two], { cwd: tree })).replace(
      "\n\n",
      "\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n x\n -----END PGP SIGNATURE-----\n\n",
    );
    const signed = await place.#sandbox.git(["hash-object", "-t", "commit", "-w", "--stdin"], {
      cwd: tree,
      input: body,
    });
    place.commits = [one, two, signed];
    await place.#sandbox.git(["update-ref", "refs/heads/main", signed], { cwd: tree });
    await place.#sandbox.git(["clone", "--quiet", "--bare", tree, place.gitDir]);
    await writeFile(join(place.gitDir, "config"), "[core]\n\trepositoryformatversion = 1\n\tbare = true\n");
    return place;
  }

  async git(args: readonly string[], options: { cwd?: string; input?: string } = {}): Promise<{ stderr: string }> {
    return await this.#sandbox.run(args, { cwd: this.gitDir, ...options });
  }

  /** Returns which programs have run since the last call. */
  async ran(): Promise<string> {
    const said = await readFile(join(this.dir, "ran"), "utf8").catch(() => "");
    await rm(join(this.dir, "ran"), { force: true });
    return said;
  }

  async configure(text: string): Promise<void> {
    await writeFile(join(this.gitDir, "config"), text.replaceAll("EVIL", this.evil), { flag: "a" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sandbox[Symbol.asyncDispose]();
  }
}

/** Runs every git that the sidecar runs on a replica. An operation may fail; a program of the repository may not run. */
async function allGits({ context, gitDir, commits, dir }: Place): Promise<void> {
  const [one, two, three] = commits as [string, string, string];
  const main = nameFromLatin1("refs/heads/main");
  const operations: (() => Promise<unknown>)[] = [
    () => gitVersion(context, gitDir),
    () => readRefs(context, gitDir, signal),
    () => readRefNames(context, gitDir, "refs/"),
    () => readTips(context, gitDir, signal),
    () => currentBranch(context, gitDir),
    () => readOwnSettings(context, gitDir),
    () => existingObjects(context, gitDir, [one, MISSING], signal),
    () => objectTypes(context, gitDir, [one, MISSING], signal),
    () => isConnected(context, gitDir, [three, MISSING], [one], { signal }),
    () => unreachable(context, gitDir, [three, MISSING], [one], signal),
    () => isReachable(context, gitDir, two, signal),
    () => isFastForward(context, gitDir, one, three),
    () => listCommits(context, gitDir, { tips: [three, MISSING], without: [], limit: 10 }, signal),
    () => startPack(context, gitDir, [three, MISSING], [one], signal).then(({ pack }) => pack.resume()),
    () => receivePack(context, gitDir, { wants: [MISSING], haves: [], pack: Readable.from(["PACK"]), signal }),
    () => packRefs(context, gitDir, signal),
    () => rollUpPacks(context, gitDir, 1, signal),
    async () => {
      await using view = await viewPacks(gitDir);
      const options = { tips: [three], expiry: new Date(), threads: 1, windowMemory: 16, signal };
      await putInPlace(gitDir, view, await repackAll(context, gitDir, view, options), new Set());
    },
    () => findDamage(context, gitDir, [three, MISSING], { signal }),
    () => applyRefs(context, gitDir, new Map([[nameFromLatin1("refs/heads/new"), valueFromLatin1(one)]])),
    async () => {
      const author = await withHooks(context, gitDir, refAuthor("ada"));
      await using transaction = new RefTransaction(context, gitDir, { author });
      await transaction.prepare([{ name: main, newValue: valueFromLatin1(two) }]);
      await transaction.commit();
    },
    () => initialConfig(context, join(dir, "made.git"), "sha1", "files"),
    () => serve("upload-pack", true),
    () => serve("upload-pack", false),
    () => serve("receive-pack", true),
  ];
  const serve = async (service: "upload-pack" | "receive-pack", advertisement: boolean) => {
    const programs = { path: context.path, home: dir };
    const request = {
      address: "192.0.2.7",
      user: "ada",
      protocol: "version=2",
      requestId: "r",
      socketDir: dir,
      pushRefs: 0,
    };
    for (const client of [
      { kind: "client", ...request },
      { kind: "device", protocol: undefined },
    ] as const) {
      if (client.kind === "device" && service === "receive-pack") continue;
      const git = await startGit({ programs, asked: { service, advertisement }, client, path: gitDir });
      git.stdin.end(advertisement ? "" : `0032want ${MISSING}\n00000009done\n`);
      for await (const _ of git.stdout);
      await git.closed;
    }
  };
  for (const operation of operations) await operation().catch(() => {});
}

type Trigger = (place: Place) => Promise<unknown>;

/** Each case with the settings of the repository, and a git of somebody else that they make run the program. */
const SETTINGS: [string, string, Trigger][] = [
  [
    "core.fsmonitor",
    "[core]\n\tfsmonitor = EVIL\n\tbare = false\n\tworktree = ..\n",
    (place) => place.git(["--git-dir", place.gitDir, "--work-tree", place.dir, "status"], { cwd: place.dir }),
  ],
  ["core.sshCommand", "[core]\n\tsshCommand = EVIL\n", (place) => place.git(["fetch", "ssh://127.0.0.1:1/x"])],
  ["core.gitProxy", "[core]\n\tgitProxy = EVIL\n", (place) => place.git(["fetch", "git://127.0.0.1:1/x"])],
  [
    "core.hooksPath",
    "[core]\n\thooksPath = HOOKS\n",
    (place) => place.git(["update-ref", "refs/heads/x", place.commits[0]!]),
  ],
  [
    "a promisor with ext::, which the repository allows",
    '[extensions]\n\tpartialClone = evil\n[remote "evil"]\n\turl = ext::EVIL x\n\tpromisor = true\n[protocol "ext"]\n\tallow = always\n',
    (place) => place.git(["cat-file", "-e", MISSING]),
  ],
  [
    "a promisor over ssh",
    '[extensions]\n\tpartialClone = evil\n[remote "evil"]\n\turl = ssh://127.0.0.1:1/x\n\tpromisor = true\n[core]\n\tsshCommand = EVIL\n',
    (place) => place.git(["cat-file", "-e", MISSING]),
  ],
  [
    "credential.helper",
    "[credential]\n\thelper = !EVIL\n",
    (place) => place.git(["credential", "fill"], { input: "protocol=https\nhost=h.test\n\n" }),
  ],
  [
    "core.askPass",
    "[core]\n\taskPass = EVIL\n",
    (place) => place.git(["credential", "fill"], { input: "protocol=https\nhost=h.test\n\n" }),
  ],
  ["gpg.program", "[gpg]\n\tprogram = EVIL\n[log]\n\tshowSignature = true\n", (place) => place.git(["log", "-1"])],
  [
    "core.alternateRefsCommand",
    "[core]\n\talternateRefsCommand = EVIL\n",
    async (place) => {
      await writeFile(join(place.gitDir, "objects/info/alternates"), `${place.dir}/work/.git/objects\n`);
      await place.git(["rev-list", "--alternate-refs"]);
    },
  ],
];

describe("a repository whose config has", () => {
  it.each(SETTINGS)("%s makes no git of ours run that program", async (_, text, trigger) => {
    await using place = await Place.make();
    const hooks = join(place.dir, "elsewhere");
    await mkdir(hooks);
    await symlink(place.evil, join(hooks, "reference-transaction"));
    await chmod(hooks, 0o777);
    await place.configure(text.replaceAll("HOOKS", hooks));
    await trigger(place);
    expect(await place.ran()).not.toBe("");
    await allGits(place);
    expect(await place.ran()).toBe("");
  });

  it("core.pager makes no git of ours run that program", async () => {
    await using place = await Place.make();
    await place.configure("[core]\n\tpager = EVIL\n[pager]\n\tlog = EVIL\n\tconfig = EVIL\n");
    await allGits(place);
    expect(await place.ran()).toBe("");
  });
});

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

// The directory of a repository is data. Its files must not make a git of ours run a program, or read elsewhere.
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
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
import { isFastForward } from "../../src/git/receive-policy.ts";
import { withHooks } from "../../src/git/ref-hook.ts";
import { packRefs } from "../../src/git/refs/pack-refs.ts";
import { applyRefs, isReachable, readRefNames, readRefs } from "../../src/git/refs/refs.ts";
import { currentBranch } from "../../src/git/refs/symbolic-refs.ts";
import { readTips } from "../../src/git/refs/tips.ts";
import { readOwnSettings } from "../../src/git/replica/own-settings.ts";
import { initialConfig } from "../../src/git/replica/repository.ts";
import { RefTransaction } from "../../src/git/transactions/ref-transaction.ts";
import { gitVersion } from "../../src/git/version.ts";
import { startGit } from "../../src/smart-http/git-child.ts";
import { Place } from "../support/malicious-place.ts";

const MISSING = "12".repeat(20);
const { signal } = new AbortController();

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

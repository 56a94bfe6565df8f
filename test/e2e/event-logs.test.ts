// The push log, the pull log and the sync log as an operator sees them: real pushes and clones through the gate and over
// ssh's program, `lockstep log`, and a gate that tells of its reads.
import { dirname, join } from "node:path";
import { expect, it, vi } from "vitest";
import { PATIENCE } from "../support/cluster-device.ts";
import { ada, cluster, one, startClusterOfFile, two } from "../support/file-cluster.ts";
import { soon } from "../support/soon.ts";

const SOON = soon(100);

startClusterOfFile();

async function listed(log: "pushes" | "pulls", repository: string, count: number) {
  // Rows come about a second later, those of the gate two.
  return await vi.waitFor(async () => {
    const filter = { repository };
    const rows =
      log === "pushes"
        ? (await two.call("ListPushes", { filter }, PATIENCE)).pushes
        : (await two.call("ListPulls", { filter }, PATIENCE)).pulls;
    expect(rows.length).toBeGreaterThanOrEqual(count);
    return rows;
  }, SOON);
}

it("a push and a clone through the gate are in the logs, on every device, and people can read them", async () => {
  const repository = await cluster.createRepository();
  const tip = await ada.commit();
  await ada.land(one.url(repository), `${tip}:refs/heads/main`);
  await cluster.git.git(["clone", "--quiet", "--bare", two.url(repository), `clone-${repository.replace("/", "-")}`]);
  await listed("pushes", repository, 1);
  await listed("pulls", repository, 3);

  const { document, code } = await two.lockstep("log", "--pushes", repository);
  expect(code).toBe(0);
  expect(document.pushes).toMatchObject([
    {
      ...{ device: "repo001", repository, author: "anonymous@127.0.0.1", address: "127.0.0.1", way: "http" },
      ...{ result: "landed", version: 1, code: null, reason: null, refs_total: 1 },
      refs: [{ ref: "refs/heads/main", old: null, new: tip, refused: null }],
      waited_ms: { copies: 0 },
    },
  ]);
  expect(document.pushes[0].request_id).toMatch(/^[\w-]{36}$/);
  expect(document.pushes[0].at).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  const pulls = (await two.lockstep("log", "--pulls", repository)).document.pulls;
  // The push asked for refs, and the clone for refs and for objects.
  expect(pulls.map(({ what, device }: { what: string; device: string }) => `${what} ${device}`).sort()).toEqual([
    "clone repo002",
    "push repo001",
    "refs repo002",
  ]);
  expect(pulls.find(({ what }: { what: string }) => what === "clone")).toMatchObject({
    ...{ way: "http", author: "anonymous", address: "127.0.0.1", version: 1, stands_for: 1 },
    duration_ms: expect.any(Number),
  });

  const shown = await two.print("log", "--pushes", "--since", "1h", "--ref", "main", "--device", "repo001");
  expect(shown.stdout).toMatch(new RegExp(`^(just now|\\d+ s ago)  ${repository}  landed as version 1$`, "m"));
  expect(shown.stdout).toMatch(/^ {4}by anonymous@127\.0\.0\.1 from 127\.0\.0\.1 \(http\) on repo001$/m);
  expect(shown.stdout).toContain(`    (none)     → ${tip.slice(0, 10)}  refs/heads/main\n`);
  expect(shown.stdout).toMatch(/^ {4}took \d/m);
  for (const line of shown.stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(80);
  const syncs = await one.print("log", "--syncs", repository, "--result", "ok");
  expect(syncs.stdout).toMatch(
    new RegExp(`^.* {2}${repository} on repo00[23] {2}0 → 1 from repo00\\d, .* 1 refs, `, "m"),
  );
});

it("a push over ssh is in the log with the address of its client, and a refused one with the reason", async () => {
  const repository = await cluster.createRepository();
  const shim = join(one.demo.root, ".lockstep", "bin", "lockstep-git");
  const overSsh = (refspec: string) =>
    cluster.git.run(["push", `--receive-pack=${shim} lockstep-receive-pack`, one.gitDir(repository), refspec], {
      cwd: ada.dir,
      env: {
        LOCKSTEP_SOCKET_DIR: dirname(one.demo.socket),
        USER: "ada",
        SSH_CONNECTION: "10.0.0.8 5000 10.0.0.1 22",
      },
    });
  const tip = await ada.commit();
  expect(await overSsh(`${tip}:refs/heads/main`)).toMatchObject({ code: 0 });
  await one.lockstep("write-lock", "--enable", "--reason", "moving \u001b[2Jhouse", repository);
  expect((await overSsh(`${tip}:refs/heads/no`)).code).not.toBe(0);
  const gate = await cluster.git.run(["push", one.url(repository), `${tip}:refs/heads/no`], { cwd: ada.dir });
  expect(gate.code).not.toBe(0);
  const rows = await listed("pushes", repository, 3);
  expect(rows).toMatchObject([
    { way: "http", result: "refused", code: "WRITES_STOPPED", address: "127.0.0.1", refs: [] },
    { way: "ssh", result: "refused", code: "WRITES_STOPPED", author: "ada", address: "10.0.0.8", refs: [] },
    { way: "ssh", result: "landed", version: "1", author: "ada", address: "10.0.0.8" },
  ]);
  const { stdout } = await one.print("log", "--pushes", repository, "--result", "refused", "--limit", "1");
  expect(stdout).toContain("    WRITES_STOPPED: ");
  expect(stdout).toContain("moving \\x1b[2Jhouse");
});

it.each([
  [["log"], "Name a repository, or give --pushes, --pulls or --syncs."],
  [["log", "--pushes", "--pulls"], "--pushes and --pulls are two logs; name one."],
  [["log", "--pulls", "--ref", "main"], "Leave out --ref: --pulls has no such filter."],
  [["log", "a", "--author", "ada"], "Give --pushes, --pulls or --syncs with --author: the ref log has no such filter."],
  [["log", "--syncs", "--result", "landed"], '"landed" is no result of the sync log; name one of ok, failed.'],
  [["log", "--pushes", "--since", "yesterday"], "--since must be such as 24h"],
])("`lockstep %j` is refused", async (args, sentence) => {
  const { code, stdout, stderr } = await one.print(...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain(sentence);
});

// Measures the work of the server for many clones of one commit at once, as when CI runners start, beside the same gate
// on a bare repository without Lockstep.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Agent } from "node:http";
import { join } from "node:path";
import { compare, cpuSeconds, exchange, git, inFolder, start, withCluster } from "./harness.mjs";

const CLONES = 100;
const COMMITS = 2_000;
/** The files that a commit changes. */
const FILES = 5;

export const benchmarks = {
  "100 clones": () =>
    inFolder(async (dir) => {
      await git(dir, "init", "-q", "--bare", "plain/app.git");
      const plain = await start("bench/plain-gate.mjs", [join(dir, "plain")]);
      try {
        await withCluster(
          dir,
          async (cluster) => {
            const [device] = cluster.devices;
            const urls = [`${plain.url}/app.git`, `${device.gate.url}/demo.git`];
            const from = await makeHistory(dir);
            for (const url of urls) await git(from, "push", "-q", url, "main");
            let round = 0;
            const clones = async (url, pids) => {
              // The wanted commit is a new one, so nothing is there from the round before.
              round += 1;
              await git(from, "commit", "-q", "--allow-empty", "-m", String(round));
              await git(from, "push", "-q", url, "main");
              const before = await cpuSeconds(pids);
              await Promise.all(Array.from({ length: CLONES }, () => clone(url)));
              return (await cpuSeconds(pids)) - before;
            };
            await compare({
              name: "100 clones",
              unit: "CPU seconds",
              aim: "≤ 0.2",
              runs: 3,
              baseline: () => clones(urls[0], [plain.pid]),
              ours: () => clones(urls[1], [device.gate.pid, device.pid]),
              note: `at once, of ${COMMITS} commits that change ${FILES} files each; gate, sidecar and their gits`,
            });
          },
          1,
        );
      } finally {
        await plain.stop();
      }
    }),
};

/** Makes a work tree with a history of commits, each of which changes some files in some directories. */
async function makeHistory(dir) {
  await git(dir, "init", "-q", "-b", "main", "work");
  const stream = [];
  for (let commit = 0; commit < COMMITS; commit += 1) {
    stream.push(`commit refs/heads/main\ncommitter b <b@example.org> ${1_700_000_000 + commit} +0000\ndata 1\nx\n`);
    for (let file = 0; file < FILES; file += 1) {
      const lines = Array.from({ length: 50 }, (_, line) => `${line} ${(commit * (line + file)) % 977}`).join("\n");
      const path = `src/${(commit * 7 + file) % 100}/${(commit + file * 13) % 50}`;
      stream.push(`M 100644 inline ${path}\ndata ${lines.length}\n${lines}\n`);
    }
  }
  const from = join(dir, "work");
  const importing = spawn("git", ["fast-import", "--quiet"], { cwd: from, stdio: ["pipe", "inherit", "inherit"] });
  importing.stdin.end(stream.join(""));
  await once(importing, "exit");
  await git(from, "reset", "-q", "--hard");
  return from;
}

/** Clones as git does with protocol version 2, and throws the pack away. */
async function clone(url) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  try {
    await exchange(agent, `${url}/info/refs?service=git-upload-pack`);
    const refs = await exchange(
      agent,
      `${url}/git-upload-pack`,
      "0014command=ls-refs\n00010009peel\n000csymrefs\n0000",
    );
    const [tip] = /[0-9a-f]{40}(?= refs\/heads\/main)/.exec(refs.toString("latin1"));
    const lines = ["thin-pack", "no-progress", "ofs-delta", `want ${tip}`, "done"].map((line) => packet(`${line}\n`));
    const body = `${packet("command=fetch")}0001${lines.join("")}0000`;
    const answer = await exchange(agent, `${url}/git-upload-pack`, body);
    if (!answer.includes("PACK")) throw new Error(`no pack: ${answer.subarray(0, 200)}`);
  } finally {
    agent.destroy();
  }
}

const packet = (line) => (line.length + 4).toString(16).padStart(4, "0") + line;

// Two replicas whose directories were exchanged while their sidecar was down: nobody reads the one under the name of the other.
import { rename } from "node:fs/promises";
import { expect, it } from "vitest";
import { expectAtRest } from "../support/at-rest.ts";
import { ada, cluster, one, startClusterOfFile } from "../support/file-cluster.ts";

startClusterOfFile();

const LIST_REFS = "0014command=ls-refs\n00010000";

/** What the device answers to one `ls-refs` of protocol version 2, without the questions that git asks before it. */
async function listRefs(repository: string): Promise<string> {
  const headers = { "Content-Type": "application/x-git-upload-pack-request", "Git-Protocol": "version=2" };
  const answer = await fetch(`${one.url(repository)}/git-upload-pack`, { method: "POST", headers, body: LIST_REFS });
  return await answer.text();
}

async function advertised(repository: string): Promise<string> {
  return await (await fetch(`${one.url(repository)}/info/refs?service=git-upload-pack`)).text();
}

it.each([
  ["ls-refs of version 2", listRefs],
  ["the advertisement of version 0", advertised],
])("the first read afterwards shows the refs of its own repository: %s", async (_, read) => {
  const repositories = [await cluster.createRepository(), await cluster.createRepository()] as const;
  const tips: string[] = [];
  for (const repository of repositories) {
    const tip = await ada.commit();
    await ada.land(one.url(repository), `${tip}:refs/heads/main`);
    tips.push(tip);
  }
  await one.kill();
  const [a, b] = repositories.map((repository) => one.gitDir(repository)) as [string, string];
  await rename(a, `${a}.away`);
  await rename(b, a);
  await rename(`${a}.away`, b);
  await one.start();
  const seen = await Promise.all(repositories.map(read));
  for (const [index, refs] of seen.entries()) {
    expect(refs).toContain(`${tips[index]} `);
    expect(refs).not.toContain(tips[1 - index]);
  }
  for (const repository of repositories) await expectAtRest(cluster, repository);
});

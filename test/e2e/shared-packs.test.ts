// Runners that clone the same commit from one device share a pack, through the gate as it is deployed.
import { join } from "node:path";
import { expect, it } from "vitest";
import { ada, cluster, one, startClusterOfFile } from "../support/file-cluster.ts";
import { hasNative } from "../support/shim-site.ts";

startClusterOfFile();

async function packs(result: string): Promise<number> {
  const page = await (await fetch(`${one.demo.http}/metrics`)).text();
  return Number(new RegExp(`^lockstep_packs_total\\{result="${result}"\\} (\\d+)`, "m").exec(page)?.[1] ?? 0);
}

it.skipIf(!hasNative)("one pack is made for all clones of a commit, and a push makes the next one", async () => {
  const repository = await cluster.createRepository();
  const clone = async (into: string) => {
    await cluster.git.git(["clone", "--quiet", one.url(repository), into]);
    return await cluster.git.git(["rev-parse", "HEAD"], { cwd: join(cluster.git.dir, into) });
  };
  const first = await ada.commit();
  await ada.land(one.url(repository), `${first}:refs/heads/main`);
  const runners = Array.from({ length: 8 }, (_, index) => `runner-${index}`);
  expect(new Set(await Promise.all(runners.map(clone)))).toEqual(new Set([first]));
  expect([await packs("made"), await packs("shared")]).toEqual([1, 7]);
  const second = await ada.commit();
  await ada.land(one.url(repository), `+${second}:refs/heads/main`);
  expect(await clone("after")).toBe(second);
  expect(await packs("made")).toBe(2);
});

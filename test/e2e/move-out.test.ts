import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { expectAtRest } from "../support/at-rest.ts";
import { documented } from "../support/documented.ts";
import { ada, cluster, one, startClusterOfFile } from "../support/file-cluster.ts";

const run = promisify(execFile);

startClusterOfFile();

it("the steps of docs/operations.md leave ordinary repositories that take pushes of plain git", async () => {
  const repository = await cluster.createRepository();
  const commit = await ada.commit();
  expect(await ada.push(one.url(repository), `${commit}:refs/heads/main`)).toMatchObject({ code: 0 });
  const alias = ["lock", repository, "--", "git", "symbolic-ref", "refs/heads/alias", "refs/heads/main"];
  expect(await one.print(...alias)).toMatchObject({ code: 0 });
  await one.sync(repository);
  expect(await one.print("write-lock", "--enable", "--reason", "moving out")).toMatchObject({ code: 0 });
  expect(await ada.push(one.url(repository), `${await ada.commit()}:refs/heads/main`)).not.toMatchObject({ code: 0 });
  await expectAtRest(cluster, repository);
  for (const device of cluster.devices) await device.stop();
  for (const device of cluster.devices) {
    const script = await documented("sh", { ROOT: device.demo.root }, "operations.md");
    await run("sh", ["-eu", "-c", script]);
    const dir = device.gitDir(repository);
    const left = await readdir(dir, { recursive: true });
    expect(left.filter((name) => /lockstep|(proc|pre)-receive$/.test(name))).toEqual([]);
    const next = await ada.commit();
    expect(await ada.push(dir, `+${next}:refs/heads/main`, `${next}:refs/heads/alias-${device.name}`)).toMatchObject({
      code: 0,
    });
    const { stdout } = await run("git", ["-C", dir, "for-each-ref", "--format=%(refname) %(objectname)"]);
    expect(stdout).toContain(`refs/heads/main ${next}`);
    await run("git", ["-C", dir, "fsck", "--strict"]);
    await run("git", ["-C", dir, "gc", "--quiet"]);
  }
});

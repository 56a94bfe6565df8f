// How a symbolic ref gets to its place on a disk: through directories, packed refs and locks.
import { mkdir, readFile, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { symbolicTo } from "../../src/domain.ts";
import { setSymbolicRef } from "../../src/git/refs/symbolic-refs.ts";
import { APP, expectSame, FORMATS, pair, tooOld, writeRef } from "../support/odd-ref-names.ts";
import { ref } from "../support/refs.ts";
import { beginSession, bumpSession } from "../support/sessions.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { change, type TestDevice } from "../support/sync-device.ts";

if (tooOld) console.warn(`Names in reftables are not tested: ${tooOld}.`);

const begin = (device: TestDevice, live = false) => beginSession(device, APP, { live });

describe("a symbolic ref", () => {
  it.each(FORMATS)(
    "takes the place of directories that deleted refs left, and of a packed ref (%s)",
    async (format) => {
      await using cluster = await TestCluster.make();
      const [a, b] = await pair(cluster, format);
      const one = await a.commit(APP, "one");
      await a.push(APP, [change("main", null, one), change("packed", null, one)]);
      if (format === "files") {
        await a.git(APP, ["pack-refs", "--all"]);
        await mkdir(join(a.gitDir(APP), "refs/heads/alias/empty/deep"), { recursive: true });
      }
      const session = await begin(b);
      for (const name of ["alias", "packed"])
        await writeRef(session.path, `refs/heads/${name}`, "ref: refs/heads/main");
      await bumpSession(b, APP, session.token);
      await expectSame([a, b], {
        HEAD: "ref: refs/heads/main",
        "refs/heads/main": one,
        "refs/heads/alias": "ref: refs/heads/main",
        "refs/heads/packed": "ref: refs/heads/main",
      });
    },
  );

  it("may stand for a ref that is not there, with any bytes in both names", async () => {
    await using cluster = await TestCluster.make();
    const [a, b] = await pair(cluster, "files");
    const session = await beginSession(a, APP);
    await writeRef(session.path, "refs/heads/alias\xe9", "ref: refs/heads/none\xe8");
    expect(await bumpSession(a, APP, session.token)).toMatchObject({ version: 1n, refsChanged: 1 });
    await expectSame([a, b], { HEAD: "ref: refs/heads/main", "refs/heads/alias\xe9": "ref: refs/heads/none\xe8" });
  });

  it("waits for nobody's lock: an old one is broken, a young one is somebody's", async () => {
    await using cluster = await TestCluster.make();
    const [a] = await pair(cluster, "files");
    const lock = join(a.gitDir(APP), "HEAD.lock");
    await writeFile(lock, "");
    const value = symbolicTo(ref("refs/heads/other"));
    const set = () => setSymbolicRef(a.context.git, a.gitDir(APP), ref("HEAD"), value);
    await expect(set()).rejects.toMatchObject({ code: "GIT_FAILED", message: expect.stringContaining("HEAD") });
    await utimes(lock, 0, 0);
    await set();
    expect(await readFile(join(dirname(lock), "HEAD"), "utf8")).toBe("ref: refs/heads/other\n");
    expect(await a.leftovers(APP)).toEqual([]);
  });
});

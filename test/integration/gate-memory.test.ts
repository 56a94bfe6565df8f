// How much memory the git of a push may take at the gate.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { GateOptions } from "../../src/gate/gate.ts";
import { shLimiter } from "../../src/git/command/serve.ts";
import { bomb, chain, zeros } from "../support/bombs.ts";
import { GateSite, MIB, PUSH_TYPE } from "../support/gate-site.ts";
import { shims } from "../support/shim-site.ts";

let site: GateSite;
beforeEach(async () => {
  site = await GateSite.make();
});
afterEach(async () => await site[Symbol.asyncDispose]());

async function open(options: Partial<GateOptions>): Promise<void> {
  await site.gate[Symbol.asyncDispose]();
  site.gate = await site.openGate(options);
}

const refs = () => site.fetchRaw("/team/app.git/info/refs?service=git-upload-pack");

async function push(pack: Buffer, id = "1".repeat(40)) {
  const command = `${"0".repeat(40)} ${id} refs/tags/bomb\0 report-status side-band-64k`;
  const head = `${(command.length + 4).toString(16).padStart(4, "0")}${command}0000`;
  const post = { method: "POST", headers: PUSH_TYPE };
  return await site.fetchRaw("/team/app.git/git-receive-pack", post, Buffer.concat([Buffer.from(head), pack]));
}

describe("a pack of 20 KB", () => {
  it("a pack of 20 KB with an object of 1.1 GB is refused without taking that memory; one of 30 MB is unpacked", async () => {
    const refused = await push(bomb(70));
    expect(refused.body).toMatch(/attempting to allocate \d+ over limit 1073741824/);
    expect(refused.body).toMatch(/unpack .*abnormal exit/);
    const small = await push(bomb(2));
    expect(small.body).not.toMatch(/attempting to allocate/);
    expect(await site.objects()).not.toContainEqual(expect.stringMatching(/^tmp_/));
  });
});

describe("an object that is no delta", () => {
  it.each([
    ["of one byte below the limit lands", 6 * MIB - 1, true],
    ["at the limit is refused", 6 * MIB, false],
    ["far above the limit is refused", 100 * MIB, false],
  ])("%s, also above core.bigFileThreshold of the replica", async (_, length, lands) => {
    await open({ pushObject: 6 });
    // git would not hold such a blob in memory.
    await site.sandbox.git(["config", "core.bigFileThreshold", "1m"], { cwd: site.bare });
    const { pack, id } = zeros(length);
    const { body } = await push(pack, id);
    if (lands) expect(body).toMatch(/unpack ok/);
    else expect(body).toMatch(/attempting to allocate \d+ over limit 6291456/);
    expect((await site.refs()).includes("refs/tags/bomb")).toBe(lands);
  });

  it("is of any size where the limit is 0", async () => {
    await open({ pushObject: 0 });
    const { pack, id } = zeros(20 * MIB);
    expect((await push(pack, id)).body).toMatch(/unpack ok/);
  });
});

describe("the memory of a git", () => {
  const program = shims.find(({ name }) => name === "native")?.command[0] ?? "";

  it.skipIf(!existsSync(program)).each([
    ["is limited for a deep chain of deltas too", "200", /unpack (index-pack abnormal exit|ok)/],
    ["is enough by default for the same chain", "2048", /unpack ok/],
  ])("%s", async (_, mebibytes, answer) => {
    await open({ pushLimiter: [program, "limited", mebibytes] });
    // A pack of 300 KB. git 2.39 takes more than 200 MiB for it, as its memory grows with the depth.
    const { pack, id } = chain(5_000, 60_000);
    const { body } = await push(pack, id);
    expect(body).toMatch(answer);
    expect((await site.refs()).includes("refs/tags/bomb")).toBe(/unpack ok/.test(body));
    expect(await site.objects()).not.toContainEqual(expect.stringMatching(/^tmp_/));
  });

  it.skipIf(!existsSync(program))(
    "the memory of a git that takes a push is limited, also in its children; that of a read is not",
    async () => {
      await open({ pushLimiter: [program, "limited", "2048"] });
      await site.hook("pre-receive", `ulimit -d > '${site.sandbox.dir}/data'; cat > /dev/null`);
      const id = await site.sandbox.commit(site.work, "first", { "a.txt": "a" });
      await site.fetchRaw(
        "/team/app.git/git-receive-pack",
        { method: "POST", headers: PUSH_TYPE },
        await site.pushBody("refs/heads/main", id),
      );
      expect(await site.refs()).toContain("refs/heads/main");
      expect(readFileSync(join(site.sandbox.dir, "data"), "utf8")).toBe(`${2 << 20}\n`);
    },
  );

  it("is limited by sh where there is no native program", async () => {
    await open({ pushLimiter: shLimiter(2_048) });
    await site.hook("pre-receive", `ulimit -d > '${site.sandbox.dir}/data'; cat > /dev/null`);
    const id = await site.sandbox.commit(site.work, "first", { "a.txt": "a" });
    const post = { method: "POST", headers: PUSH_TYPE };
    await site.fetchRaw("/team/app.git/git-receive-pack", post, await site.pushBody("refs/heads/main", id));
    expect(await site.refs()).toContain("refs/heads/main");
    expect(readFileSync(join(site.sandbox.dir, "data"), "utf8")).toBe(`${2 << 20}\n`);
  });

  it.skipIf(!existsSync(program))("ends what needs more, and the push is refused", async () => {
    await open({ pushLimiter: [program, "limited", "16"] });
    const body = await push(bomb(2));
    expect(body.body).toMatch(/unpack .*(abnormal exit|index-pack)|out of memory/i);
    expect(await site.refs()).toBe("");
    const read = await refs();
    expect(read.status).toBe(200);
  });
});

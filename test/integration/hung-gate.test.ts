// A git that the gate has started for a client, or a git that this one has started, stops. The client gets an answer.
import { access } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { FETCH_TYPE, GateSite, script } from "../support/gate-site.ts";
import { shortWaits } from "../support/short-waits.ts";

shortWaits();
let site: GateSite;
beforeEach(async () => {
  site = await GateSite.make();
  await site.sandbox.commit(site.work, "first", { file: "content" });
  await site.sandbox.git(["push", "--quiet", "origin", "main"], { cwd: site.work });
});
// It also throws if a git is left.
afterEach(async () => await site[Symbol.asyncDispose]());

/** The next git of the gate whose arguments contain `command` stops itself. Returns the path that then exists. */
async function stopNext(command: string): Promise<string> {
  const flag = join(site.sandbox.dir, "stopped");
  const stops = `case "$*" in *"${command}"*) mkdir '${flag}' 2>/dev/null && kill -STOP $$;; esac`;
  await script(join(site.sandbox.dir, "bin/git"), `${stops}\nexec '${site.realGit}' "$@"`);
  return flag;
}

const REFS = "/team/app.git/info/refs?service=git-upload-pack";
const UPLOAD = "/team/app.git/git-upload-pack";
const ENDED = /git upload-pack showed no work on this server and was ended; try again\./;

it("an advertisement that stops is answered with 503, and the next one is served", async () => {
  const flag = await stopNext("upload-pack");
  const answer = await fetch(site.gate.url + REFS);
  expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
  expect(await answer.text()).toMatch(/^git hangs on this server; try again/);
  await access(flag);
  expect((await fetch(site.gate.url + REFS)).status).toBe(200);
});

it("a fetch that stops ends with a sentence, and the next one is served", async () => {
  const flag = await stopNext("upload-pack");
  const answer = await fetch(site.gate.url + UPLOAD, { method: "POST", headers: FETCH_TYPE, body: "0000" });
  expect(await answer.text()).toMatch(ENDED);
  await access(flag);
  await site.sandbox.git(["fetch", "--quiet", "origin"], { cwd: site.work });
});

it("a push whose git stops is cut off, and the next one lands", async () => {
  await site.sandbox.commit(site.work, "second", { file: "more" });
  const flag = await stopNext("receive-pack --stateless-rpc");
  await expect(site.sandbox.git(["push", "--quiet", "origin", "main"], { cwd: site.work })).rejects.toThrow();
  await access(flag);
  await site.sandbox.git(["push", "--quiet", "origin", "main"], { cwd: site.work });
});

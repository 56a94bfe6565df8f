// Requests to the gate, as git makes them, and a gate whose repository has one commit.
import { afterEach, beforeEach } from "vitest";
import { GateSite } from "./gate-site.ts";

export const line = (text: string) => (text.length + 4).toString(16).padStart(4, "0") + text;
export const ZERO = "0".repeat(40);
export const UPLOAD = "/team/app.git/git-upload-pack";
export const RECEIVE = "/team/app.git/git-receive-pack";
export const REFS = "/team/app.git/info/refs";

// `makeGateWithCommit` sets these before each test.
export let site: GateSite;
/** The commit of the branch main. */
export let tip: string;

/** Makes a site before each test of the calling file, and ends it afterwards. */
export function makeGateWithCommit(): void {
  beforeEach(async () => {
    site = await GateSite.make();
    tip = await site.sandbox.commit(site.work, "first", { file: "content" });
    await site.sandbox.git(["push", "--quiet", "origin", "main"], { cwd: site.work });
  });
  afterEach(async () => await site[Symbol.asyncDispose]());
}

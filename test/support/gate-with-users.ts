// A gate that lets in named users, and what it logs.
import { afterEach, beforeEach } from "vitest";
import type { UserRules } from "../../src/gate/users/users.ts";
import { GateSite } from "./gate-site.ts";

export const NOBODY = { read: false, write: false };
export const READERS = { read: true, write: false };
export const basic = (user: string, password: string) => ({
  Authorization: `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`,
});
export const REFS = "/team/app.git/info/refs?service=git-";

// `makeGateWithUsers` sets these before each test.
export let site: GateSite;
export let lines: { fields: Record<string, unknown>; message: string }[];

/** Replaces the gate by one with these rules. */
export async function open(users: UserRules): Promise<void> {
  await site.gate[Symbol.asyncDispose]();
  const note = (fields: Record<string, unknown>, message: string) => void lines.push({ fields, message });
  site.gate = await site.openGate({ users, log: { info: note, warn: note, error: note } });
}

/** Makes a site before each test of the calling file, and ends it afterwards. */
export function makeGateWithUsers(): void {
  beforeEach(async () => {
    site = await GateSite.make();
    lines = [];
  });
  afterEach(async () => await site[Symbol.asyncDispose]());
}

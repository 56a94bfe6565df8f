// A push of a million commands needs no pack and, compressed, few bytes. The sidecar must not keep what it refuses.
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { cluster, one, startClusterOfFile } from "../support/file-cluster.ts";

const MIB = 1024 * 1024;
const COMMANDS = 1_000_000;

startClusterOfFile();

const packet = (line: string) => `${(line.length + 4).toString(16).padStart(4, "0")}${line}`;

/** The most memory that a process has had so far, in bytes. */
async function peakOf(pid: number): Promise<number> {
  return Number(/^VmHWM:\s+(\d+)/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}

it("a million deletes in a small request cost the sidecar no memory", async () => {
  const repository = await cluster.createRepository();
  await one.sync(repository);
  const before = await peakOf(one.pid);
  // One ref as often as that. git itself keeps each of them.
  const command = `${"1".repeat(40)} ${"0".repeat(40)} refs/heads/gone`;
  const first = packet(`${command}\0 report-status side-band-64k`);
  const body = gzipSync(`${first}${packet(command).repeat(COMMANDS - 1)}0000`);
  const answer = await fetch(`${one.url(repository)}/git-receive-pack`, {
    method: "POST",
    headers: { "Content-Type": "application/x-git-receive-pack-request", "Content-Encoding": "gzip" },
    body,
  });
  const said = await answer.text();
  expect(said).toContain(`This push changes ${COMMANDS} refs, and this server takes 50000 at once.`);
  expect(said).toContain("ng refs/heads/gone");
  expect(said).not.toContain("ok refs/heads/gone");
  expect((await peakOf(one.pid)) - before).toBeLessThan(250 * MIB);
});

// Packs that are being sent when the device that takes them is shut out.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import type { TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { certifier, HELD } from "../support/certificate-kinds.ts";
import { type Shown, shown } from "../support/certificate-maker.ts";
import { CertificateSite } from "../support/certificate-site.ts";
import { processesAt } from "../support/git.ts";
import { change, SOON } from "../support/sync-device.ts";

/** More than what fits between the two ends of a connection. */
const LARGE = 16_000_000;
const V2 = { "content-type": "application/x-git-upload-pack-request", "git-protocol": "version=2" };

let site: CertificateSite;
let head: string;
beforeEach(async () => {
  site = await CertificateSite.make();
  head = await site.device.commit(HELD, "one", { content: randomBytes(LARGE) });
  await site.device.push(HELD, [change("main", null, head)]);
  await site.device.git(HELD, ["repack", "-adq"]);
  await site.cluster.sql("insert into lockstep.replica (repository_id, device) values ($1, 'repo003')", [
    site.ids[HELD],
  ]);
});
afterEach(async () => await site?.[Symbol.asyncDispose]());

async function trusted(name: string): Promise<Shown> {
  const made = await certifier(site.authorities)("device", name);
  await site.trust("device", name, made);
  return shown(made);
}

/** Asks for a pack with everything, and returns the response when its first bytes are there. Nobody reads on. */
async function begin(kind: "stream" | "git", shows: Shown): Promise<IncomingMessage> {
  const packet = (line: string) => `${(line.length + 4).toString(16).padStart(4, "0")}${line}`;
  const { port, ca } = site.gitPlace;
  const to = {
    host: "127.0.0.1",
    port,
    ca,
    ...shows,
    agent: false,
    method: "POST",
    checkServerIdentity: () => undefined,
  };
  const pack = { repositoryId: site.ids[HELD], version: "1", visit: "last", wants: [head], haves: [] };
  const fetch = `${packet("command=fetch")}${packet("object-format=sha1")}0001${packet(`want ${head}\n`)}${packet("done\n")}0000`;
  const asking =
    kind === "stream"
      ? request({ ...to, path: "/v1/pack" })
      : request({ ...to, path: `/${HELD}.git/git-upload-pack`, headers: V2 });
  asking.on("error", () => {}).end(kind === "stream" ? JSON.stringify(pack) : fetch);
  const [response] = (await once(asking, "response")) as [IncomingMessage];
  expect(response.statusCode).toBe(200);
  await once(response, "readable");
  return response;
}

/** Reads on. Returns how many bytes came, and whether the answer was whole. */
async function rest(response: IncomingMessage): Promise<{ bytes: number; whole: boolean }> {
  let bytes = 0;
  response.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  response.on("error", () => {});
  await once(response, "close").catch(() => {});
  return { bytes, whole: response.complete };
}

const gits = () => processesAt(site.device.gitDir(HELD));

describe.each(["stream", "git"] as const)("a pack that is being sent (%s)", (kind) => {
  it.each<[string, () => Promise<void>]>([
    ["its key is revoked", () => site.revoke("device", "repo002")],
    ["it is removed", () => site.removeDevice("repo002")],
  ])("breaks off for its device when %s, with its git, and goes on for another one", async (_, shutOut) => {
    const [two, three] = [await trusted("repo002"), await trusted("repo003")];
    await site.registry.look();
    const [theirs, others] = [await begin(kind, two), await begin(kind, three)];
    expect((await gits()).length).toBeGreaterThan(0);
    const socket = theirs.socket as TLSSocket;
    const closed = once(socket, "close");
    await shutOut();
    // What lies in the buffers still arrives. The rest was never sent.
    const [cut] = await Promise.all([rest(theirs), closed]);
    expect(cut).toMatchObject({ whole: false });
    expect(cut.bytes).toBeLessThan(LARGE);
    const whole = await rest(others);
    expect(whole).toMatchObject({ whole: true });
    expect(whole.bytes).toBeGreaterThan(LARGE);
    await vi.waitFor(async () => expect(await gits()).toEqual([]), SOON);
  });
});

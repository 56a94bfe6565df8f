import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Device } from "../support/cluster-device.ts";
import type { Holdable } from "../support/crash-points.ts";
import { ada, cluster, one, startClusterToStrike, three, two } from "../support/crash-strikes.ts";
import { expectedSignature, type Posted, Receiver } from "../support/receiver.ts";
import { SOON } from "../support/soon.ts";

startClusterToStrike();

let receiver: Receiver;
beforeAll(async () => {
  receiver = await Receiver.start();
});
afterAll(async () => await receiver?.[Symbol.asyncDispose]());

async function push(device: Device, repository: string): Promise<void> {
  await ada.land(device.url(repository), `+${await ada.commit()}:refs/heads/main`);
}

const at = (path: string): Posted[] => receiver.posted.filter((each) => each.path === path);
const versions = (path: string): number[] => at(path).map(({ body }) => body.version);

async function listed(url: string) {
  const { document } = await three.lockstep("hook", "list");
  return document.hooks.find((hook: { url: string }) => hook.url === url);
}

describe("lockstep hook", () => {
  it("adds, lists and removes a hook, and shows its secret once", async () => {
    const repository = await cluster.createRepository();
    const url = `${receiver.url}/made`;
    const { code, document: added } = await three.lockstep(
      "hook",
      "add",
      url,
      "--repository",
      "team/*",
      "--repository",
      "demo",
    );
    expect(code).toBe(0);
    expect(added).toMatchObject({
      id: expect.any(String),
      url,
      repositories: ["team/*", "demo"],
      visible: "everywhere",
      secret: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    await push(three, repository);
    await vi.waitFor(() => expect(versions("/hook/made")).toEqual([1]), SOON);
    const [posted] = at("/hook/made");
    expect(posted!.headers["x-lockstep-signature-256"]).toBe(expectedSignature(added.secret, posted!.raw));
    await vi.waitFor(
      async () => expect(await listed(url)).toMatchObject({ delivered: 1, attempts: 0, last_error: null }),
      SOON,
    );
    const { secret: _, ...shown } = added;
    expect(await listed(url)).toMatchObject({ id: shown.id, repositories: shown.repositories });
    expect(JSON.stringify(await listed(url))).not.toContain(added.secret);
    expect((await three.print("hook", "list")).stdout).toContain(url);

    expect(await three.lockstep("hook", "add", url)).toMatchObject({
      code: 1,
      document: { error: { code: "HOOK_EXISTS" } },
    });
    expect(await three.lockstep("hook", "remove", url)).toMatchObject({ code: 0, document: { id: added.id } });
    expect(await three.lockstep("hook", "remove", added.id)).toMatchObject({
      code: 1,
      document: { error: { code: "HOOK_NOT_FOUND" } },
    });
    expect(await listed(url)).toBeUndefined();
  });

  it("takes a secret from a file, and hides a password in the URL", async () => {
    const repository = await cluster.createRepository();
    const file = join(cluster.dir, "secret");
    await writeFile(file, "from a file\n");
    const url = `${receiver.url}/given`.replace("http://", "http://ada:hidden@");
    const urlFile = join(cluster.dir, "url");
    await writeFile(urlFile, `${url}\n`);
    const args = ["hook", "add", "--url-file", urlFile, "--secret-file", file, "--visible", "landed"];
    args.push("--repository", repository);
    const { document } = await three.lockstep(...args);
    expect(document).toMatchObject({ visible: "landed" });
    expect(document.secret).toBeUndefined();
    await push(three, repository);
    await vi.waitFor(() => expect(versions("/hook/given")).toEqual([1]), SOON);
    const [posted] = at("/hook/given");
    expect(posted!.headers["x-lockstep-signature-256"]).toBe(expectedSignature("from a file", posted!.raw));
    expect(JSON.stringify((await three.lockstep("hook", "list")).document)).not.toContain("hidden");
    expect(JSON.stringify(await three.log())).not.toContain("hidden");
    expect(await three.lockstep("hook", "remove", document.id)).toMatchObject({ code: 0 });
  });

  it.each([
    [["hook", "add", "https://ada:hidden@ci.example/x"], 2, "USAGE"],
    [["hook", "add", "https://token@ci.example/x"], 2, "USAGE"],
    [["hook", "remove", "https://ada:hidden@ci.example/x"], 2, "USAGE"],
    [["hook", "add"], 2, "USAGE"],
    [["hook", "add", "https://ci.example/x", "--url-file", "/no/such/file"], 2, "USAGE"],
    [["hook", "add", "--url-file", "/no/such/file"], 2, "USAGE"],
    [["hook", "add", "http://169.254.169.254/latest"], 2, "INVALID_REQUEST"],
    [["hook", "add", "ftp://example.com/x"], 2, "INVALID_REQUEST"],
    [["hook", "add", "not a url"], 2, "INVALID_REQUEST"],
    [["hook", "add", "http://127.0.0.1:1/x", "--repository", "a b"], 2, "INVALID_NAME"],
    [["hook", "add", "http://127.0.0.1:1/x", "--secret-file", "/no/such/file"], 2, "USAGE"],
    [["hook", "remove", "http://127.0.0.1:1/none"], 1, "HOOK_NOT_FOUND"],
  ])("refuses %j", async (args, code, error) => {
    const refused = await three.lockstep(...args);
    expect(refused).toMatchObject({ code, document: { error: { code: error } } });
    expect(JSON.stringify(refused)).not.toContain("hidden");
  });
});

describe("the device that delivers", () => {
  it("is killed between the delivery and its record, and another one loses and reorders nothing", async () => {
    const repository = await cluster.createRepository();
    const url = `${receiver.url}/killed`;
    await three.lockstep("hook", "add", url, "--visible", "landed", "--repository", repository);
    // The third device cannot be held, so it must not be the one that delivers.
    const holder = async (): Promise<Holdable | undefined> =>
      [one, two].find(({ device }) => device.name === holding) ?? undefined;
    let holding = "";
    await vi.waitFor(async () => {
      holding = (await listed(url)).device;
      if (holding === three.name) {
        await three.kill();
        await three.start();
      }
      expect(holding).toMatch(/^repo00[12]$/);
    }, SOON);
    const held = (await holder())!;
    const hold = await held.hold("hook.delivered");
    await push(three, repository);
    await hold.reached();
    expect(versions("/hook/killed")).toEqual([1]);
    await push(three, repository);
    await held.device.kill();
    await hold.release();
    // Its lease ends, and another device goes on behind the last event that was recorded.
    await vi.waitFor(() => expect(versions("/hook/killed").at(-1)).toBe(2), SOON);
    expect(versions("/hook/killed")).toEqual([1, 1, 2]);
    const [first, again] = at("/hook/killed");
    expect(again!.raw).toBe(first!.raw);
    await vi.waitFor(async () => expect(await listed(url)).toMatchObject({ delivered: 2, attempts: 0 }), SOON);
    expect((await listed(url)).device).not.toBe(held.device.name);
  });
});

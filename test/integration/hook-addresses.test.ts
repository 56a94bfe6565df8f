// Where a webhook may lead: its certificate, the addresses of its name, and those that are refused.
import dns from "node:dns";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createAuthority, issue } from "../../src/ca/authority.ts";
import { readRanges } from "../../src/io/client-address.ts";
import { addHook, delivering, onlyHook } from "../support/hook-delivery.ts";
import { currentRepository, Landing } from "../support/landing.ts";
import { Receiver } from "../support/receiver.ts";
import { TestCluster } from "../support/sync-cluster.ts";
import { SOON } from "../support/sync-device.ts";

/** Lets every name lead to these addresses, until the test has ended. */
function everyNameLeadsTo(...addresses: string[]): void {
  const found = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  vi.spyOn(dns, "lookup").mockImplementation(((_: string, __: object, done: (...all: unknown[]) => void) =>
    queueMicrotask(() => done(null, found))) as unknown as typeof dns.lookup);
}
afterEach(() => void vi.restoreAllMocks());

describe("a webhook", () => {
  it("a webhook whose certificate nobody vouches for gets nothing", async () => {
    const authority = await createAuthority({ trustDomain: "other.test", days: 1 });
    const pair = await issue(authority, { role: "device", name: "ci", hosts: ["localhost"], days: 1 });
    await using cluster = await TestCluster.make();
    await using receiver = await Receiver.start({ cert: pair.certificatePem, key: pair.keyPem });
    const one = await cluster.start("repo001");
    const app = await currentRepository("app", [one]);
    await addHook(one, receiver.url);
    await using _ = delivering(one);
    await using landing = await Landing.connect(cluster);
    await landing.land(app);
    await vi.waitFor(async () => expect((await onlyHook(one)).lastError).toMatch(/certificate/), SOON);
    expect(receiver.posted).toEqual([]);
  });

  it("a webhook whose name leads elsewhere from some event on is told nothing there", async () => {
    await using cluster = await TestCluster.make();
    await using receiver = await Receiver.start();
    const [device, port] = [{ hookAddresses: readRanges("127.0.0.1,192.0.2.0/24") }, new URL(receiver.url).port];
    const one = await cluster.start("repo001", device);
    const app = await currentRepository("app", [one]);
    await addHook(one, `http://ci.example:${port}/hook`);
    await using _ = delivering(one);
    await using landing = await Landing.connect(cluster);
    everyNameLeadsTo("127.0.0.1");
    await landing.land(app);
    await vi.waitFor(() => expect(receiver.events).toEqual(["app 1"]), SOON);
    everyNameLeadsTo("127.0.0.2");
    await landing.land(app);
    const refused = "The name ci.example leads to 127.0.0.2, which is not in --hook-addresses of this device";
    await vi.waitFor(async () => expect((await onlyHook(one)).lastError).toContain(refused), SOON);
    // The receiver has both addresses, and one of them is good.
    everyNameLeadsTo("127.0.0.2", "127.0.0.1");
    await vi.waitFor(() => expect(receiver.events).toEqual(["app 1", "app 2"]), SOON);
  });

  it.each([
    ["127.0.0.1", "ci.example", /^The name ci.example leads to 127.0.0.1, which is this machine; say localhost/],
    ["::ffff:127.0.0.1", "ci.example", /which is this machine/],
    ["169.254.169.254", "ci.example", /leads to 169.254.169.254, where no webhook may lead/],
    ["169.254.169.254", "localhost", /leads to 169.254.169.254, where no webhook may lead/],
    ["169.254.169.254", "169.254.169.254", /^The hook leads to 169.254.169.254, where no webhook may lead/],
  ])("nothing is posted to %s for the host %s, also without --hook-addresses", async (address, host, why) => {
    await using cluster = await TestCluster.make();
    await using receiver = await Receiver.start();
    const one = await cluster.start("repo001");
    const app = await currentRepository("app", [one]);
    everyNameLeadsTo(address);
    await addHook(one, receiver.url.replace("127.0.0.1", host));
    await using _ = delivering(one);
    await using landing = await Landing.connect(cluster);
    await landing.land(app);
    await vi.waitFor(async () => expect((await onlyHook(one)).lastError).toMatch(why), SOON);
    expect(receiver.posted).toEqual([]);
  });
});
